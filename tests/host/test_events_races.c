/* SPDX-License-Identifier: MIT
 *
 * Event channels between two vCPUs at once: a second pthread plays vCPU 1.
 */
#include "tests/host/events_test.h"

static bool stop;
static evtchn_port_t shared_port;

static void *play_vcpu_1(void *arg)
{
    (void)arg;
    fake_cpu_adopt(1);
    while (!load_acquire(&stop)) {
        fake_deliver();
        sched_yield();
    }
    return NULL;
}

static pthread_t start_vcpu_1(void)
{
    pthread_t thread;

    add_vcpu(1);
    pthread_create(&thread, NULL, play_vcpu_1, NULL);
    return thread;
}

static void stop_vcpu_1(pthread_t thread)
{
    store_release(&stop, true);
    pthread_join(thread, NULL);
}

static unsigned int inside, overlaps, after_unbind;
static bool unbound;

static void slow_handler(evtchn_port_t port, void *arg)
{
    (void)port;
    if (atomic_fetch_add(&inside, 1))
        atomic_fetch_add(&overlaps, 1);
    if (load_acquire(&unbound))
        atomic_fetch_add(&after_unbind, 1);
    for (unsigned int i = 0; i < 20; i++)
        sched_yield();
    count_event(port, arg);
    atomic_fetch_sub(&inside, 1);
}

TEST_BOTH_ABIS(unbind_waits_for_handler_elsewhere)
{
    pthread_t thread = start_vcpu_1();

    for (unsigned int turn = 0; turn < 300; turn++) {
        evtchn_port_t port;

        store_release(&unbound, false);
        CHECK_EQ(event_alloc_unbound(0, slow_handler, &hits, &port), 0);
        CHECK_EQ(event_move(port, 1), 0);
        fake_port_raise(port);
        if (turn % 8 == 0)
            CHECK_SOON(load_acquire(&hits) + load_acquire(&inside) > turn / 8);
        for (unsigned int i = 0; i < turn % 16; i++)
            sched_yield();
        event_unbind(port);
        store_release(&unbound, true);
        CHECK_EQ(load_acquire(&inside), 0);
    }
    stop_vcpu_1(thread);
    CHECK_EQ(after_unbind, 0);
    CHECK_EQ(overlaps, 0);
}

/* The handler comes and goes while vCPU 1 is on its way to it: an edge is handled or kept, never
 * lost. */
TEST_BOTH_ABIS(stress_release_and_bind)
{
    pthread_t thread = start_vcpu_1();
    evtchn_port_t port = fake_port_open();
    uint64_t end_ns = arch_clock_ns() + NS_PER_S;

    for (unsigned int turn = 0; turn < 50000 && arch_clock_ns() < end_ns; turn++) {
        CHECK_EQ(event_bind(port, count_event, &hits), 0);
        CHECK_EQ(event_move(port, 1), 0);
        fake_port_raise(port);
        for (volatile unsigned int i = 0; i < turn % 256; i++)
            ;
        event_release(port);
    }
    CHECK_EQ(event_bind(port, count_event, &hits), 0);
    CHECK_EQ(event_move(port, 1), 0);
    hits = 0;
    fake_port_raise(port);
    CHECK_SOON(load_acquire(&hits) > 0);
    stop_vcpu_1(thread);
}

/* Long on vCPU 1, so that the port's next edge meets it elsewhere. */
static void long_on_vcpu_1(evtchn_port_t port, void *arg)
{
    if (atomic_fetch_add(&inside, 1))
        atomic_fetch_add(&overlaps, 1);
    if (this_percpu()->vcpu == 1)
        fake_pause_ms(50);
    count_event(port, arg);
    atomic_fetch_sub(&inside, 1);
}

TEST_BOTH_ABIS(handler_never_overlaps_itself_after_a_move)
{
    pthread_t thread = start_vcpu_1();
    evtchn_port_t port = fake_port_open();

    CHECK_EQ(event_bind(port, long_on_vcpu_1, &hits), 0);
    CHECK_EQ(event_move(port, 1), 0);
    fake_port_raise(port);
    CHECK_SOON(load_acquire(&inside) == 1);
    CHECK_EQ(event_move(port, 0), 0);
    fake_port_raise(port); /* here, now: waits for the handler there */
    CHECK_EQ(hits, 2);
    CHECK_EQ(overlaps, 0);
    stop_vcpu_1(thread);
}

/* Edges, moves and masks at once: no edge is lost, the handler never overlaps itself. */
static uint64_t announced, seen;

static void note_announced(evtchn_port_t port, void *arg)
{
    (void)port;
    (void)arg;
    if (atomic_fetch_add(&inside, 1))
        atomic_fetch_add(&overlaps, 1);
    store_release(&seen, load_acquire(&announced));
    atomic_fetch_sub(&inside, 1);
}

static void *raise_often(void *arg)
{
    (void)arg;
    fake_percpu = percpus[3]; /* a vCPU that nothing is bound to: plays the other domain */
    for (unsigned int i = 0; i < 20000; i++) {
        atomic_fetch_add(&announced, 1);
        fake_port_raise(shared_port);
    }
    return NULL;
}

TEST_BOTH_ABIS(stress_edges_moves_and_masks)
{
    pthread_t vcpu = start_vcpu_1(), remote;

    add_vcpu(3);
    shared_port = fake_port_open();
    CHECK_EQ(event_bind(shared_port, note_announced, NULL), 0);
    pthread_create(&remote, NULL, raise_often, NULL);
    for (unsigned int turn = 0; load_acquire(&announced) < 20000; turn++) {
        if (turn % 4 == 0)
            CHECK_EQ(event_move(shared_port, turn / 4 % 2), 0);
        event_mask(shared_port);
        event_unmask(shared_port);
        fake_deliver();
    }
    pthread_join(remote, NULL);
    CHECK_SOON((fake_deliver(), load_acquire(&seen) == 20000));
    stop_vcpu_1(vcpu);
    CHECK_EQ(overlaps, 0);
    CHECK_EQ(fake_events_dropped(), 0);
}
