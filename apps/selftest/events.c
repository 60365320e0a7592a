/* SPDX-License-Identifier: MIT
 *
 * Event channels, by ports whose other end is ourselves.
 */
#include <stdio.h>
#include "hypercall/event_channel.h"
#include "lib/atomic.h"
#include "selftest.h"

struct counter {
    unsigned int calls;
    evtchn_port_t port; /* of the latest call */
};

static void count_event(evtchn_port_t port, void *arg)
{
    struct counter *counter = arg;

    store_once(&counter->port, port);
    (void)atomic_fetch_add(&counter->calls, 1);
}

/* Two connected ports of our own. */
static bool connect(struct counter *a, evtchn_port_t *port_a, struct counter *b,
                    evtchn_port_t *port_b)
{
    if (!CHECK_EQ(event_alloc_unbound(DOMID_SELF, count_event, a, port_a), 0))
        return false;
    if (!CHECK_EQ(event_bind_interdomain(DOMID_SELF, *port_a, count_event, b, port_b), 0)) {
        event_unbind(*port_a);
        return false;
    }
    CHECK_EQ(test_await(&b->calls, 1), 1); /* binding raises the new port: no edge is lost */
    store_once(&a->calls, 0);
    store_once(&b->calls, 0);
    return true;
}

TEST(event_interdomain_both_ways)
{
    struct counter a = { 0 }, b = { 0 };
    evtchn_port_t port_a, port_b;

    if (events_get_abi() == EVENTS_FIFO)
        printf("# events: FIFO\n");
    else
        printf("# events: two-level\n");
    if (!connect(&a, &port_a, &b, &port_b))
        return;
    for (unsigned int i = 1; i <= 100; i++) {
        CHECK_EQ(event_notify(port_a), 0);
        CHECK_EQ(test_await(&b.calls, i), i);
        CHECK_EQ(event_notify(port_b), 0);
        CHECK_EQ(test_await(&a.calls, i), i);
    }
    CHECK_EQ(a.port, port_a);
    CHECK_EQ(b.port, port_b);
    event_unbind(port_b);
    event_unbind(port_a);
}

TEST(event_unbound_notify_is_silent)
{
    struct counter a = { 0 };
    evtchn_port_t port;

    REQUIRE_EQ(event_alloc_unbound(DOMID_SELF, count_event, &a, &port), 0);
    CHECK_EQ(event_notify(port), 0);
    test_sleep_ms(2);
    CHECK_EQ(a.calls, 0);
    event_unbind(port);
}

TEST(event_masked_is_kept_and_merged)
{
    struct counter a = { 0 }, b = { 0 };
    evtchn_port_t port_a, port_b;

    if (!connect(&a, &port_a, &b, &port_b))
        return;
    for (unsigned int round = 1; round <= 50; round++) {
        event_mask(port_b);
        for (int i = 0; i < 3; i++)
            CHECK_EQ(event_notify(port_a), 0);
        CHECK_EQ(load_once(&b.calls), round - 1);
        CHECK(event_pending(port_b));
        event_unmask(port_b);
        CHECK_EQ(test_await(&b.calls, round), round);
        CHECK(!event_pending(port_b));
    }
    event_mask(port_b);
    event_unmask(port_b); /* nothing came: nothing is delivered */
    test_sleep_ms(1);
    CHECK_EQ(b.calls, 50);
    event_unbind(port_b);
    event_unbind(port_a);
}

TEST(event_ipi_to_self)
{
    struct counter a = { 0 };
    evtchn_port_t port;

    REQUIRE_EQ(event_bind_ipi(0, count_event, &a, &port), 0);
    for (unsigned int i = 1; i <= 100; i++) {
        CHECK_EQ(event_notify(port), 0);
        CHECK_EQ(test_await(&a.calls, i), i);
    }
    CHECK(event_move(port, 0) < 0);
    event_unbind(port);
}

TEST(event_virq_bound_twice_is_eexist)
{
    struct counter a = { 0 };
    evtchn_port_t port, again;

    CHECK_EQ(event_bind_virq(VIRQ_DEBUG, 0, count_event, &a, &port), 0);
    CHECK_EQ(event_bind_virq(VIRQ_DEBUG, 0, count_event, &a, &again), -XEN_EEXIST);
    event_unbind(port);
}

TEST(event_unbound_port_is_quiet)
{
    struct counter a = { 0 }, b = { 0 };
    evtchn_port_t port_a, port_b;

    if (!connect(&a, &port_a, &b, &port_b))
        return;
    CHECK_EQ(event_move(port_a, 0), 0);
    event_unbind(port_b);
    CHECK_EQ(event_notify(port_a), 0);
    test_sleep_ms(1);
    CHECK_EQ(b.calls, 0);
    event_unbind(port_a);
    CHECK(event_notify(port_a) < 0);
}

/* A port the toolstack would have made. */
TEST(event_bind_existing_port)
{
    struct counter a = { 0 };
    evtchn_port_t port = 0, other;

    REQUIRE_EQ(hypercall_evtchn_alloc_unbound(DOMID_SELF, &port), 0);
    CHECK_EQ(event_bind(port, count_event, &a), 0);
    CHECK_EQ(event_bind(port, count_event, &a), -XEN_EEXIST);
    CHECK_EQ(event_bind(1u << 30, count_event, &a), -XEN_EINVAL);
    REQUIRE_EQ(event_bind_interdomain(DOMID_SELF, port, count_event, &a, &other), 0);
    CHECK_EQ(test_await(&a.calls, 1), 1); /* Xen's own, for `other`; its vCPU may take long */
    event_release(port);
    a.calls = 0;
    CHECK_EQ(event_notify(other), 0);
    test_sleep_ms(1);
    CHECK_EQ(a.calls, 0);
    event_unbind(other);
    CHECK_EQ(event_bind(port, count_event, &a), 0);
    event_unbind(port);
}

#define MANY 700

TEST(event_many_ports_each_delivered)
{
    static struct counter counters[MANY];
    static evtchn_port_t ports[MANY];
    unsigned int count;

    for (int round = 0; round < 2; round++) {
        for (count = 0; count < MANY; count++) {
            counters[count].calls = 0;
            if (!CHECK_EQ(event_bind_ipi(0, count_event, &counters[count], &ports[count]), 0))
                break;
        }
        for (unsigned int i = 0; i < count; i++)
            CHECK_EQ(event_notify(ports[i]), 0);
        for (unsigned int i = 0; i < count; i++) {
            CHECK_EQ(test_await(&counters[i].calls, 1), 1);
            CHECK_EQ(counters[i].port, ports[i]);
            event_unbind(ports[i]);
        }
    }
}

TEST(event_ports_exhausted_is_enospc)
{
    static evtchn_port_t ports[4096];
    struct counter a = { 0 };
    unsigned int count = 0;
    int rc = 0;

    while (count < ARRAY_SIZE(ports) && rc == 0) {
        rc = event_alloc_unbound(DOMID_SELF, count_event, &a, &ports[count]);
        count += rc == 0;
    }
    printf("# %u ports\n", count);
    CHECK(rc == -XEN_ENOSPC || rc == 0);
    while (count > 0)
        event_unbind(ports[--count]);
    REQUIRE_EQ(event_alloc_unbound(DOMID_SELF, count_event, &a, &ports[0]), 0);
    event_unbind(ports[0]);
}

static void relay_event(evtchn_port_t port, void *arg)
{
    (void)port;
    event_notify(*(evtchn_port_t *)arg);
}

TEST(event_notify_from_handler)
{
    struct counter a = { 0 };
    evtchn_port_t target, relay;

    REQUIRE_EQ(event_bind_ipi(0, count_event, &a, &target), 0);
    REQUIRE_EQ(event_bind_ipi(0, relay_event, &target, &relay), 0);
    CHECK_EQ(event_notify(relay), 0);
    CHECK_EQ(test_await(&a.calls, 1), 1);
    event_unbind(relay);
    event_unbind(target);
}

struct storm {
    evtchn_port_t port;
    bool stop;
};

static void storm(void *arg)
{
    struct storm *storm = arg;

    while (!load_once(&storm->stop))
        event_notify(storm->port);
}

TEST(event_storm_leaves_threads_running)
{
    struct counter a = { 0 };
    struct storm arg = { 0 };
    struct thread *thread;

    REQUIRE_THREADS(1);
    REQUIRE_EQ(event_bind_ipi(0, count_event, &a, &arg.port), 0);
    REQUIRE_EQ(xenolith_thread(&thread, "storm", storm, &arg), 0);
    CHECK(test_await(&a.calls, 100) >= 100); /* we run, and so does it */
    for (int i = 0; i < 10; i++)
        test_sleep_ms(2);
    store_once(&arg.stop, true);
    CHECK_EQ(thread_join(thread, time_after_ns(TEST_PATIENCE_NS)), 0);
    event_unbind(arg.port);
}

struct volley {
    unsigned int calls;
    bool stop;
};

static void volley_event(evtchn_port_t port, void *arg)
{
    struct volley *volley = arg;

    store_once(&volley->calls, volley->calls + 1);
    if (!load_once(&volley->stop))
        event_notify(port); /* the other end, whose handler does the same */
}

/* Two handlers that raise each other for ever: each upcall would be followed by the next, and no
 * thread would run again, were the ports not throttled. */
TEST(event_storm_from_handlers_is_throttled)
{
    struct volley volley = { 0 };
    evtchn_port_t port_a, port_b;
    unsigned int before;

    REQUIRE_EQ(event_alloc_unbound(DOMID_SELF, volley_event, &volley, &port_a), 0);
    REQUIRE_EQ(event_bind_interdomain(DOMID_SELF, port_a, volley_event, &volley, &port_b), 0);
    CHECK_EQ(event_notify(port_a), 0);
    for (int i = 0; i < 5; i++) { /* and no edge is lost: it goes on after each pause */
        before = load_once(&volley.calls);
        for (int turn = 0; turn < 1000 && load_once(&volley.calls) == before; turn++)
            test_sleep_ms(1);
        CHECK(load_once(&volley.calls) > before);
    }
    store_once(&volley.stop, true);
    event_unbind(port_b);
    event_unbind(port_a);
}

TEST(event_stats_count)
{
    struct events_stats before, after;
    struct counter a = { 0 };
    evtchn_port_t port;

    events_get_stats(&before);
    REQUIRE_EQ(event_bind_ipi(0, count_event, &a, &port), 0);
    /* One that comes while vCPU 0 is in an upcall is served in it: so more than one, if need be. */
    for (unsigned int i = 1; i <= 100; i++) {
        CHECK_EQ(event_notify(port), 0);
        CHECK_EQ(test_await(&a.calls, i), i);
        events_get_stats(&after);
        if (after.upcalls > before.upcalls)
            break;
        test_sleep_ms(1);
    }
    event_unbind(port);
    CHECK(after.upcalls > before.upcalls);
    CHECK(after.delivered > before.delivered);
}
