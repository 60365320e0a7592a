/* SPDX-License-Identifier: MIT
 *
 * Event channels: corner cases of the two-level ABI.
 */
#include "tests/host/events_test.h"

static evtchn_port_t order[4096];
static unsigned int served;

static void note_order(evtchn_port_t port, void *arg)
{
    (void)arg;
    order[served++ % ARRAY_SIZE(order)] = port;
}

static void open_ports(unsigned int count)
{
    evtchn_port_t port;

    fake_xen.max_ports = 4096;
    for (unsigned int i = 0; i < count; i++)
        CHECK_EQ(event_alloc_unbound(0, note_order, NULL, &port), 0);
}

TEST(init_masks_every_port)
{
    start_events(EVENTS_2L);
    for (evtchn_port_t port = 0; port < EVTCHN_2L_NR_CHANNELS; port++) {
        if (!bit_test(fake_xen.shared->evtchn_mask, port))
            CHECK_EQ(port, 0);
    }
}

TEST(every_port_of_the_abi_is_served)
{
    start_events(EVENTS_2L);
    open_ports(4095);
    upcalls_disable();
    for (evtchn_port_t port = 1; port < 4096; port++)
        fake_port_raise(port);
    upcalls_enable();
    CHECK_EQ(served, 4095);
    CHECK_EQ(event_bind(4096, note_order, NULL), -XEN_EINVAL);
}

TEST(scan_begins_after_the_port_served_last)
{
    static const evtchn_port_t ports[] = { 1, 70, 71, 200 };
    static const evtchn_port_t expected[] = { 71, 200, 1, 70 };

    start_events(EVENTS_2L);
    open_ports(200);
    fake_port_raise(70);
    served = 0;
    upcalls_disable();
    for (unsigned int i = 0; i < ARRAY_SIZE(ports); i++)
        fake_port_raise(ports[i]);
    upcalls_enable();
    CHECK_EQ(served, 4);
    CHECK_MEM(order, expected, sizeof(expected));
}

/* Port 1 fires for ever; port 2 waits in the same word, port 130 in another. */
static void fire_again(evtchn_port_t port, void *arg)
{
    note_order(port, arg);
    if (served < 100)
        fake_port_raise(port);
}

TEST(firing_port_does_not_starve_others)
{
    evtchn_port_t port;

    start_events(EVENTS_2L);
    CHECK_EQ(event_alloc_unbound(0, fire_again, NULL, &port), 0);
    open_ports(140);
    upcalls_disable();
    fake_port_raise(port);
    fake_port_raise(130);
    fake_port_raise(2);
    upcalls_enable();
    CHECK_EQ(order[0], 1);
    CHECK_EQ(order[1], 2);
    CHECK_EQ(order[2], 130);
}

TEST(selector_without_pending_port_is_harmless)
{
    struct events_stats stats;

    start_events(EVENTS_2L);
    this_percpu()->vcpu_info.evtchn_pending_sel = ~0UL;
    fake_upcall_set(0);
    fake_deliver();
    events_get_stats(&stats);
    CHECK_EQ(stats.upcalls, 1);
    CHECK_EQ(stats.delivered, 0);
}

TEST(port_of_another_vcpu_is_left_to_it)
{
    evtchn_port_t mine, other;

    start_events(EVENTS_2L);
    add_vcpu(1);
    CHECK_EQ(event_alloc_unbound(0, note_order, NULL, &mine), 0);
    CHECK_EQ(event_bind_ipi(1, note_order, NULL, &other), 0);
    CHECK_EQ(mine / 64, other / 64); /* the same word: we see its bit */
    event_notify(other);
    fake_port_raise(mine);
    CHECK_EQ(served, 1);
    CHECK_EQ(order[0], mine);
    CHECK(event_pending(other));
    run_vcpu(1);
    CHECK_EQ(served, 2);
}

/* An edge between clearing the mask and looking at pending: only Xen's hypercall may lose nothing.
 */
TEST(unmask_finds_edge_of_a_port_elsewhere)
{
    evtchn_port_t other;

    start_events(EVENTS_2L);
    add_vcpu(1);
    CHECK_EQ(event_bind_ipi(1, note_order, NULL, &other), 0);
    event_mask(other);
    event_notify(other);
    run_vcpu(1);
    CHECK_EQ(served, 0);
    event_unmask(other); /* from vCPU 0 */
    run_vcpu(1);
    CHECK_EQ(served, 1);
}
