/* SPDX-License-Identifier: MIT
 *
 * Event channels: what holds under both ABIs.
 */
#include "tests/host/events_test.h"

static unsigned int hits;

static evtchn_port_t bound_port(void)
{
    evtchn_port_t port = fake_port_open();

    CHECK_EQ(event_bind(port, count_event, &hits), 0);
    return port;
}

TEST_BOTH_ABIS(edge_calls_handler)
{
    evtchn_port_t port = bound_port();

    fake_port_raise(port);
    CHECK_EQ(hits, 1);
    fake_port_raise(port);
    CHECK_EQ(hits, 2);
    CHECK(!event_pending(port));
}

TEST_BOTH_ABIS(edge_before_bind_is_delivered)
{
    evtchn_port_t port = fake_port_open();

    fake_port_raise(port);
    CHECK_EQ(event_bind(port, count_event, &hits), 0);
    CHECK_EQ(hits, 1);
}

TEST(edge_before_switch_to_fifo_is_delivered)
{
    evtchn_port_t port = fake_port_open();

    fake_port_raise(port); /* two-level still */
    start_events(EVENTS_FIFO);
    CHECK_EQ(event_bind(port, count_event, &hits), 0);
    CHECK_EQ(hits, 1);
}

/* The other end signals while its edge is being handled: Xen must be able to raise it again. */
static void raise_twice(evtchn_port_t port, void *arg)
{
    if (++*(unsigned int *)arg == 1)
        fake_port_raise(port);
}

TEST_BOTH_ABIS(edge_during_handler_is_kept)
{
    evtchn_port_t port = fake_port_open();
    struct events_stats stats;

    CHECK_EQ(event_bind(port, raise_twice, &hits), 0);
    fake_port_raise(port);
    CHECK_EQ(hits, 2);
    events_get_stats(&stats);
    CHECK_EQ(stats.delivered, 2);
    CHECK_EQ(stats.upcalls, 1); /* seen without a second entry from Xen */
}

TEST_BOTH_ABIS(masked_edge_is_delivered_on_unmask)
{
    evtchn_port_t port = bound_port();

    event_mask(port);
    fake_port_raise(port);
    CHECK_EQ(hits, 0);
    CHECK(event_pending(port));
    event_unmask(port);
    CHECK_EQ(hits, 1);
    fake_port_raise(port);
    CHECK_EQ(hits, 2);
}

TEST_BOTH_ABIS(unmask_without_edge_is_no_hypercall)
{
    evtchn_port_t port = bound_port();
    unsigned int before;

    event_mask(port);
    before = fake_hypercalls(__HYPERVISOR_event_channel_op, EVTCHNOP_unmask);
    event_unmask(port);
    CHECK_EQ(fake_hypercalls(__HYPERVISOR_event_channel_op, EVTCHNOP_unmask), before);
}

TEST_BOTH_ABIS(upcalls_masked_hold_events_back)
{
    evtchn_port_t port = bound_port();

    upcalls_disable();
    fake_port_raise(port);
    CHECK_EQ(hits, 0);
    upcalls_enable();
    CHECK_EQ(hits, 1);
}

/* Masked by its own handler, as a driver that polls does; an edge comes before it unmasks. */
static void mask_self(evtchn_port_t port, void *arg)
{
    event_mask(port);
    fake_port_raise(port);
    ++*(unsigned int *)arg;
}

TEST_BOTH_ABIS(handler_masks_itself)
{
    evtchn_port_t port = fake_port_open();

    CHECK_EQ(event_bind(port, mask_self, &hits), 0);
    fake_port_raise(port);
    CHECK_EQ(hits, 1);
    event_unmask(port);
    CHECK_EQ(hits, 2);
}

TEST_BOTH_ABIS(spurious_port_is_masked_and_keeps_its_edge)
{
    evtchn_port_t port = fake_port_open();
    struct events_stats stats;

    hypercall_evtchn_unmask(port); /* what no code of ours does */
    fake_port_raise(port);
    fake_port_raise(port);
    events_get_stats(&stats);
    CHECK_EQ(stats.spurious, 1);
    CHECK_EQ(event_bind(port, count_event, &hits), 0);
    CHECK_EQ(hits, 1);
}

TEST_BOTH_ABIS(spurious_port_near_a_bound_one_is_masked)
{
    evtchn_port_t port = bound_port(), neighbour = fake_port_open();
    struct events_stats stats;

    CHECK_EQ(neighbour, port + 1);
    hypercall_evtchn_unmask(neighbour);
    for (unsigned int i = 0; i < 3; i++)
        fake_port_raise(neighbour);
    fake_port_raise(port); /* with two-level, looks at the same word */
    events_get_stats(&stats);
    CHECK_EQ(stats.spurious, 1);
    CHECK_EQ(hits, 1);
}

TEST_BOTH_ABIS(bind_twice_is_refused)
{
    evtchn_port_t port = bound_port();

    CHECK_EQ(event_bind(port, count_event, &hits), -XEN_EEXIST);
}

TEST_BOTH_ABIS(bind_out_of_range_is_refused)
{
    CHECK_EQ(event_bind(0, count_event, &hits), -XEN_EINVAL);
    CHECK_EQ(event_bind(EVTCHN_FIFO_NR_CHANNELS, count_event, &hits), -XEN_EINVAL);
    CHECK_EQ(event_bind(UINT32_MAX, count_event, &hits), -XEN_EINVAL);
    event_mask(UINT32_MAX);
    event_unmask(UINT32_MAX);
    event_unbind(UINT32_MAX);
    CHECK(!event_pending(UINT32_MAX));
}

static long port_from_nowhere(unsigned int nr, unsigned long cmd, void *arg, unsigned long count)
{
    (void)count;
    if (nr != __HYPERVISOR_event_channel_op || cmd != EVTCHNOP_alloc_unbound)
        return FAKE_GO_ON;
    ((struct evtchn_alloc_unbound *)arg)->port = 1000000;
    return 0;
}

TEST_BOTH_ABIS(xen_names_an_impossible_port)
{
    evtchn_port_t port;

    fake_xen.hook = port_from_nowhere;
    CHECK_EQ(event_alloc_unbound(0, count_event, &hits, &port), -XEN_EINVAL);
    CHECK_EQ(fake_logged("can't use port 1000000: EINVAL"), 1);
}

TEST_BOTH_ABIS(ports_run_out)
{
    evtchn_port_t port, last = 0;
    int rc;

    fake_xen.max_ports = 40;
    while ((rc = event_alloc_unbound(0, count_event, &hits, &port)) == 0)
        last = port;
    CHECK_EQ(rc, -XEN_ENOSPC);
    CHECK_EQ(last, 39);
    event_unbind(last);
    CHECK_EQ(event_alloc_unbound(0, count_event, &hits, &port), 0);
    CHECK_EQ(port, last);
    fake_port_raise(port);
    CHECK_EQ(hits, 1);
}

TEST_BOTH_ABIS(handler_table_grows)
{
    evtchn_port_t first = 0, port = 0;

    fake_xen.max_ports = 4096;
    for (unsigned int i = 0; i < 3000; i++) {
        CHECK_EQ(event_alloc_unbound(0, count_event, &hits, &port), 0);
        first = first ? first : port;
    }
    CHECK_GE(port, 3000);
    for (evtchn_port_t p = first; p <= port; p++)
        fake_port_raise(p);
    CHECK_EQ(hits, 3000);
    CHECK_EQ(fake_events_dropped(), 0);
}

TEST_BOTH_ABIS(no_memory_to_bind)
{
    evtchn_port_t port;

    fake_alloc_fail_after(0);
    CHECK_EQ(event_alloc_unbound(0, count_event, &hits, &port), -XEN_ENOMEM);
    CHECK(!fake_port_is_open(port));
    fake_alloc_fail_after(-1);
    CHECK_EQ(event_alloc_unbound(0, count_event, &hits, &port), 0);
    fake_port_raise(port);
    CHECK_EQ(hits, 1);
}

TEST_BOTH_ABIS(upcall_allocates_nothing)
{
    evtchn_port_t port = bound_port();
    unsigned long before = fake_allocs();

    for (unsigned int i = 0; i < 1000; i++)
        fake_port_raise(port);
    CHECK_EQ(hits, 1000);
    CHECK_EQ(fake_allocs(), before);
}

TEST_BOTH_ABIS(unbind_closes_and_port_is_used_again)
{
    evtchn_port_t port = bound_port(), again;
    unsigned int other = 0;

    upcalls_disable();
    fake_port_raise(port); /* pending and, with FIFO, linked */
    event_mask(port);
    upcalls_enable();
    event_unbind(port);
    CHECK(!fake_port_is_open(port));
    CHECK_EQ(hits, 0);
    CHECK_EQ(event_alloc_unbound(0, count_event, &other, &again), 0);
    CHECK_EQ(again, port);
    CHECK_EQ(other, 0); /* the old port's edge died with it */
    fake_port_raise(again);
    CHECK_EQ(other, 1);
    CHECK_EQ(hits, 0);
}

TEST_BOTH_ABIS(release_keeps_port_and_edges)
{
    evtchn_port_t port = bound_port();

    event_release(port);
    CHECK(fake_port_is_open(port));
    fake_port_raise(port);
    CHECK_EQ(hits, 0);
    CHECK_EQ(event_bind(port, count_event, &hits), 0);
    CHECK_EQ(hits, 1);
}

TEST_BOTH_ABIS(unmask_after_unbind_stays_masked)
{
    evtchn_port_t port = bound_port();
    struct events_stats stats;

    event_release(port);
    event_unmask(port);
    fake_port_raise(port);
    events_get_stats(&stats);
    CHECK_EQ(stats.upcalls, 0);
}

TEST_BOTH_ABIS(virq_and_ipi)
{
    evtchn_port_t timer, ipi;

    CHECK_EQ(event_bind_virq(VIRQ_TIMER, 0, count_event, &hits, &timer), 0);
    CHECK(fake_virq_raise(VIRQ_TIMER, 0));
    CHECK_EQ(hits, 1);
    CHECK_EQ(event_bind_virq(VIRQ_TIMER, 0, count_event, &hits, &ipi), -XEN_EEXIST);
    CHECK_EQ(event_bind_ipi(0, count_event, &hits, &ipi), 0);
    CHECK_EQ(event_notify(ipi), 0);
    CHECK_EQ(hits, 2);
    event_unbind(timer);
    CHECK(!fake_virq_raise(VIRQ_TIMER, 0));
}

TEST_BOTH_ABIS(vcpu_never_prepared_is_refused)
{
    evtchn_port_t port = bound_port(), ipi;

    CHECK_EQ(event_bind_ipi(1, count_event, &hits, &ipi), -XEN_ENOENT);
    CHECK_EQ(event_bind_virq(VIRQ_TIMER, MAX_VCPUS, count_event, &hits, &ipi), -XEN_ENOENT);
    CHECK_EQ(event_move(port, 1), -XEN_EINVAL);
    CHECK_EQ(fake_port_vcpu(port), 0);
}

/* --- several vCPUs -------------------------------------------------------------------------------
 */

static unsigned int ran_on;

static void note_vcpu(evtchn_port_t port, void *arg)
{
    count_event(port, arg);
    ran_on = this_percpu()->vcpu;
}

TEST_BOTH_ABIS(ipi_goes_to_its_vcpu)
{
    evtchn_port_t ipi;

    add_vcpu(2);
    CHECK_EQ(event_bind_ipi(2, note_vcpu, &hits, &ipi), 0);
    CHECK_EQ(event_notify(ipi), 0);
    CHECK_EQ(hits, 0); /* not here */
    run_vcpu(2);
    CHECK_EQ(hits, 1);
    CHECK_EQ(ran_on, 2);
    CHECK_EQ(event_move(ipi, 0), -XEN_EINVAL);
    CHECK_EQ(event_notify(ipi), 0);
    run_vcpu(2);
    CHECK_EQ(hits, 2);
}

TEST_BOTH_ABIS(moved_port_is_served_there)
{
    evtchn_port_t port = fake_port_open();

    add_vcpu(1);
    CHECK_EQ(event_bind(port, note_vcpu, &hits), 0);
    CHECK_EQ(event_move(port, 1), 0);
    fake_port_raise(port);
    CHECK_EQ(hits, 0);
    run_vcpu(1);
    CHECK_EQ(hits, 1);
    CHECK_EQ(ran_on, 1);
}

TEST_BOTH_ABIS(move_while_pending_loses_nothing)
{
    evtchn_port_t port = fake_port_open();

    add_vcpu(1);
    CHECK_EQ(event_bind(port, note_vcpu, &hits), 0);
    upcalls_disable();
    fake_port_raise(port); /* vCPU 0 has it selected or queued */
    CHECK_EQ(event_move(port, 1), 0);
    upcalls_enable();
    run_vcpu(1);
    CHECK_EQ(hits, 1);
    fake_port_raise(port);
    run_vcpu(1);
    CHECK_EQ(hits, 2);
    CHECK_EQ(ran_on, 1);
}

TEST_BOTH_ABIS(move_keeps_the_drivers_mask)
{
    evtchn_port_t port = bound_port();

    add_vcpu(1);
    event_mask(port);
    fake_port_raise(port);
    CHECK_EQ(event_move(port, 1), 0);
    run_vcpu(1);
    CHECK_EQ(hits, 0);
    event_unmask(port);
    run_vcpu(1);
    CHECK_EQ(hits, 1);
}

/* --- races: a second pthread plays vCPU 1
 * --------------------------------------------------------- */

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

/* --- storms --------------------------------------------------------------------------------------
 */

static unsigned int armed;
static uint64_t armed_delay_ns;

static void note_arm(uint64_t delay_ns)
{
    armed++;
    armed_delay_ns = delay_ns;
}

/* A remote that answers each handling with the next edge, at once; gives up after a million. */
static void raise_again(evtchn_port_t port, void *arg)
{
    if (++*(unsigned int *)arg < 1000000)
        fake_port_raise(port);
}

TEST_BOTH_ABIS(storm_is_bounded_and_loses_no_edge)
{
    evtchn_port_t port = fake_port_open(), quiet = bound_port();
    unsigned int storm = 0, first;

    events_set_throttle(note_arm);
    CHECK_EQ(event_bind(port, raise_again, &storm), 0);
    fake_port_raise(port); /* without a bound this would not come back before the million */
    first = storm;
    CHECK_LE(first, 512);
    CHECK_EQ(armed, 1);
    CHECK_LE(armed_delay_ns, 10 * NS_PER_MS);
    CHECK(event_pending(port));
    fake_port_raise(quiet); /* others are served meanwhile */
    CHECK_EQ(hits, 1);
    events_unthrottle();
    CHECK_GT(storm, first);
    CHECK_LE(storm, first + 512);
    CHECK_EQ(armed, 2);
}

TEST_BOTH_ABIS(storm_mask_and_driver_mask_are_apart)
{
    evtchn_port_t port = fake_port_open();
    unsigned int storm = 0, before;

    events_set_throttle(note_arm);
    CHECK_EQ(event_bind(port, raise_again, &storm), 0);
    fake_port_raise(port);
    before = storm;
    event_mask(port);
    event_unmask(port);
    CHECK_EQ(storm, before); /* a driver can't undo the throttle */
    event_mask(port);
    events_unthrottle();
    CHECK_EQ(storm, before); /* nor the throttle the driver's mask */
    event_unmask(port);
    CHECK_GT(storm, before);
}

TEST_BOTH_ABIS(unbind_of_a_throttled_port)
{
    evtchn_port_t port = fake_port_open(), again;
    unsigned int storm = 0;

    events_set_throttle(note_arm);
    CHECK_EQ(event_bind(port, raise_again, &storm), 0);
    fake_port_raise(port);
    event_unbind(port);
    CHECK_EQ(event_alloc_unbound(0, count_event, &hits, &again), 0);
    CHECK_EQ(again, port);
    fake_port_raise(again);
    CHECK_EQ(hits, 1);
    events_unthrottle();
    CHECK_EQ(hits, 1);
}

TEST_BOTH_ABIS(calm_port_is_never_throttled)
{
    evtchn_port_t port = bound_port();

    events_set_throttle(note_arm);
    for (unsigned int i = 0; i < 2000; i++) {
        fake_port_raise(port);
        fake_time_skip(20 * NS_PER_US); /* 50,000 per second */
    }
    CHECK_EQ(hits, 2000);
    CHECK_EQ(armed, 0);
}

static void send_again(evtchn_port_t port, void *arg)
{
    if (++*(unsigned int *)arg < 5000)
        event_notify(port);
}

TEST_BOTH_ABIS(own_ipi_is_never_throttled)
{
    evtchn_port_t ipi;

    events_set_throttle(note_arm);
    CHECK_EQ(event_bind_ipi(0, send_again, &hits, &ipi), 0);
    CHECK_EQ(event_notify(ipi), 0);
    CHECK_EQ(hits, 5000);
    CHECK_EQ(armed, 0);
}

/* --- choosing the ABI
 * ----------------------------------------------------------------------------- */

TEST(auto_takes_fifo)
{
    CHECK_EQ(events_init(fake_shared_info, EVENTS_AUTO), 0);
    CHECK_EQ(events_get_abi(), EVENTS_FIFO);
}

static struct shared_info *no_shared_info(void)
{
    CHECK(false); /* it costs an HVM domain ten times its boot */
    return NULL;
}

TEST(fifo_needs_no_shared_info)
{
    CHECK_EQ(events_init(no_shared_info, EVENTS_AUTO), 0);
    CHECK_EQ(events_get_abi(), EVENTS_FIFO);
}

TEST(xen_without_fifo)
{
    fake_xen.has_fifo = false;
    CHECK_EQ(events_init(fake_shared_info, EVENTS_AUTO), 0);
    CHECK_EQ(events_get_abi(), EVENTS_2L);
    CHECK_EQ(fake_logged("warning"), 0);
    CHECK_EQ(fake_alloc_live(), 0);
}

TEST(forced_fifo_refused_warns)
{
    fake_xen.has_fifo = false;
    CHECK_EQ(events_init(fake_shared_info, EVENTS_FIFO), 0);
    CHECK_EQ(events_get_abi(), EVENTS_2L);
    CHECK_EQ(fake_logged("refuses the FIFO ABI (ENOSYS)"), 1);
}
