/* SPDX-License-Identifier: MIT
 *
 * Event channels: what holds under both ABIs.
 */
#include "tests/host/events_test.h"

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
