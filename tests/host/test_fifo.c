/* SPDX-License-Identifier: MIT
 *
 * Event channels: corner cases of the FIFO ABI.
 */
#include "tests/host/events_test.h"

#define PENDING (1U << EVTCHN_FIFO_PENDING)
#define MASKED  (1U << EVTCHN_FIFO_MASKED)
#define LINKED  (1U << EVTCHN_FIFO_LINKED)
#define BUSY    (1U << EVTCHN_FIFO_BUSY)

static evtchn_port_t order[64];
static unsigned int served;

static void note_order(evtchn_port_t port, void *arg)
{
    (void)arg;
    order[served++ % ARRAY_SIZE(order)] = port;
}

static evtchn_port_t new_port(unsigned int priority)
{
    evtchn_port_t port = 0;

    CHECK_EQ(event_alloc_unbound(0, note_order, NULL, &port), 0);
    CHECK_EQ(hypercall_evtchn_set_priority(port, priority), 0);
    return port;
}

TEST(new_words_are_masked)
{
    start_events(EVENTS_FIFO);
    for (evtchn_port_t port = 0; port < 1024; port++) {
        if (*fake_fifo_word(port) != MASKED)
            CHECK_EQ(port, 0);
    }
    CHECK(fake_fifo_word(1024) == NULL);
}

TEST(urgent_queue_goes_first)
{
    evtchn_port_t last, normal, urgent;

    start_events(EVENTS_FIFO);
    last = new_port(15);
    normal = new_port(7);
    urgent = new_port(0);
    upcalls_disable();
    fake_port_raise(last);
    fake_port_raise(normal);
    fake_port_raise(urgent);
    upcalls_enable();
    CHECK_EQ(served, 3);
    CHECK_EQ(order[0], urgent);
    CHECK_EQ(order[1], normal);
    CHECK_EQ(order[2], last);
}

TEST(within_a_queue_first_come_first_served)
{
    evtchn_port_t a, b, c;

    start_events(EVENTS_FIFO);
    a = new_port(7);
    b = new_port(7);
    c = new_port(7);
    upcalls_disable();
    fake_port_raise(c);
    fake_port_raise(a);
    fake_port_raise(b);
    fake_port_raise(c); /* is on the queue already */
    upcalls_enable();
    CHECK_EQ(served, 3);
    CHECK_EQ(order[0], c);
    CHECK_EQ(order[1], a);
    CHECK_EQ(order[2], b);
}

/* A more urgent event comes while a queue is being emptied. */
static evtchn_port_t urgent_port;

static void raise_urgent(evtchn_port_t port, void *arg)
{
    note_order(port, arg);
    fake_port_raise(urgent_port);
}

TEST(urgent_event_overtakes_a_queue_being_served)
{
    evtchn_port_t first, second;

    start_events(EVENTS_FIFO);
    CHECK_EQ(event_alloc_unbound(0, raise_urgent, NULL, &first), 0);
    second = new_port(7);
    urgent_port = new_port(3);
    upcalls_disable();
    fake_port_raise(first);
    fake_port_raise(second);
    upcalls_enable();
    CHECK_EQ(served, 3);
    CHECK_EQ(order[1], urgent_port);
    CHECK_EQ(order[2], second);
}

/* The handler's port is linked again while the next in its queue has not been taken. */
static void raise_self_once(evtchn_port_t port, void *arg)
{
    note_order(port, arg);
    if (served == 1)
        fake_port_raise(port);
}

TEST(port_is_linked_again_behind_the_others)
{
    evtchn_port_t again, other;

    start_events(EVENTS_FIFO);
    CHECK_EQ(event_alloc_unbound(0, raise_self_once, NULL, &again), 0);
    other = new_port(7);
    upcalls_disable();
    fake_port_raise(again);
    fake_port_raise(other);
    upcalls_enable();
    CHECK_EQ(served, 3);
    CHECK_EQ(order[0], again);
    CHECK_EQ(order[1], other);
    CHECK_EQ(order[2], again);
}

TEST(masked_while_linked_is_dropped_then_linked_again)
{
    evtchn_port_t port, behind;

    start_events(EVENTS_FIFO);
    port = new_port(7);
    behind = new_port(7);
    upcalls_disable();
    fake_port_raise(port);
    fake_port_raise(behind);
    event_mask(port);
    upcalls_enable();
    CHECK_EQ(served, 1);
    CHECK_EQ(order[0], behind);
    CHECK_EQ(*fake_fifo_word(port), PENDING | MASKED);
    event_unmask(port);
    CHECK_EQ(served, 2);
    CHECK_EQ(*fake_fifo_word(port), 0);
}

/* Another pthread is Xen in the middle of writing a link. */
static void *end_busy(void *word)
{
    fake_pause_ms(20);
    CHECK(*(event_word_t *)word & MASKED); /* it waited */
    atomic_fetch_and((event_word_t *)word, ~BUSY);
    return NULL;
}

TEST(unmask_waits_while_busy)
{
    evtchn_port_t port;
    event_word_t *word;
    pthread_t xen;

    start_events(EVENTS_FIFO);
    port = new_port(7);
    event_mask(port);
    word = fake_fifo_word(port);
    atomic_fetch_or(word, BUSY);
    pthread_create(&xen, NULL, end_busy, word);
    event_unmask(port);
    CHECK_EQ(*word & (BUSY | MASKED), 0);
    pthread_join(xen, NULL);
}

TEST(unlink_keeps_flags_that_are_xens)
{
    evtchn_port_t port;

    start_events(EVENTS_FIFO);
    port = new_port(7);
    upcalls_disable();
    fake_port_raise(port);
    event_mask(port);
    atomic_fetch_or(fake_fifo_word(port), BUSY);
    upcalls_enable();
    CHECK_EQ(*fake_fifo_word(port), PENDING | MASKED | BUSY);
}

/* Nobody can take the word off: its vCPU is we, with upcalls masked. */
TEST(unbind_of_a_linked_port_gives_up_in_time)
{
    evtchn_port_t port, other;
    uint64_t begin = arch_clock_ns();

    start_events(EVENTS_FIFO);
    port = new_port(7);
    upcalls_disable();
    fake_port_raise(port);
    event_unbind(port);
    CHECK_LT(arch_clock_ns() - begin, NS_PER_S);
    CHECK(*fake_fifo_word(port) & LINKED);
    other = new_port(7);
    CHECK_NE(other, port); /* Xen keeps a linked port back */
    upcalls_enable();
    CHECK_EQ(served, 0);
    CHECK_EQ(*fake_fifo_word(port), MASKED);
    CHECK_EQ(new_port(7), port);
    fake_port_raise(port);
    fake_port_raise(other);
    CHECK_EQ(served, 2);
}

/* While we wait for it, vCPU 1 takes its upcalls. */
static long let_vcpu_1_run(unsigned int nr, unsigned long cmd, void *arg, unsigned long count)
{
    (void)arg;
    (void)count;
    if (nr == __HYPERVISOR_sched_op && cmd == SCHEDOP_yield && this_percpu()->vcpu == 0)
        run_vcpu(1);
    return FAKE_GO_ON;
}

static unsigned int ran_on = UINT32_MAX;

static void note_vcpu(evtchn_port_t port, void *arg)
{
    note_order(port, arg);
    ran_on = this_percpu()->vcpu;
}

TEST(unbind_of_a_port_linked_elsewhere_waits)
{
    evtchn_port_t port;

    start_events(EVENTS_FIFO);
    add_vcpu(1);
    port = new_port(7);
    CHECK_EQ(event_move(port, 1), 0);
    fake_port_raise(port);
    CHECK(*fake_fifo_word(port) & LINKED);
    fake_xen.hook = let_vcpu_1_run;
    event_unbind(port);
    CHECK_EQ(*fake_fifo_word(port), MASKED);
    CHECK_EQ(served, 0);
}

/* The old vCPU must drop it, not serve it: the edge belongs to the new one. */
TEST(move_of_a_port_linked_elsewhere_brings_the_edge)
{
    evtchn_port_t port = fake_port_open();

    start_events(EVENTS_FIFO);
    add_vcpu(1);
    CHECK_EQ(event_bind(port, note_vcpu, NULL), 0);
    CHECK_EQ(event_move(port, 1), 0);
    fake_port_raise(port);
    fake_xen.hook = let_vcpu_1_run;
    CHECK_EQ(event_move(port, 0), 0);
    run_vcpu(1);
    CHECK_EQ(served, 1);
    CHECK_EQ(ran_on, 0);
}

TEST(array_grows_with_the_ports)
{
    evtchn_port_t port = 0;

    fake_xen.max_ports = 5000;
    start_events(EVENTS_FIFO);
    for (unsigned int i = 0; i < 4500; i++)
        port = new_port(7);
    CHECK_GE(port, 4500);
    fake_port_raise(port);
    CHECK_EQ(served, 1);
    CHECK_EQ(fake_hypercalls(__HYPERVISOR_event_channel_op, EVTCHNOP_expand_array), 5);
}

TEST(array_expands_only_as_far_as_xen_lets)
{
    start_events(EVENTS_FIFO); /* 1023 ports: one page */
    CHECK_EQ(event_bind(1500, note_order, NULL), -XEN_ENOSPC);
    CHECK_EQ(event_bind(131071, note_order, NULL), -XEN_ENOSPC);
}

TEST(every_vcpu_has_its_block)
{
    evtchn_port_t port;

    fake_xen.vcpus = MAX_VCPUS;
    start_events(EVENTS_FIFO);
    for (unsigned int vcpu = 1; vcpu < MAX_VCPUS; vcpu++) {
        add_vcpu(vcpu);
        CHECK_EQ(event_bind_ipi(vcpu, note_order, NULL, &port), 0);
        event_notify(port);
        run_vcpu(vcpu);
        CHECK_EQ(served, vcpu);
        CHECK_EQ(order[(vcpu - 1) % ARRAY_SIZE(order)], port);
    }
    CHECK_EQ(fake_events_dropped(), 0);
}

TEST(second_block_for_a_vcpu_is_refused)
{
    start_events(EVENTS_FIFO);
    add_vcpu(1);
    CHECK_EQ(events_cpu_init(percpus[1]), -XEN_EINVAL);
}

TEST(queue_head_out_of_range_is_dropped)
{
    static const evtchn_port_t lies[] = { 0, 5000, 131071, 131072, UINT32_MAX };
    struct events_stats stats;
    evtchn_port_t port;

    start_events(EVENTS_FIFO);
    port = new_port(7);
    for (unsigned int i = 0; i < ARRAY_SIZE(lies); i++) {
        fake_fifo_control(0)->head[5] = lies[i];
        fake_fifo_control(0)->ready |= 1 << 5;
        fake_upcall_set(0);
        fake_deliver();
        events_get_stats(&stats);
        CHECK_EQ(stats.spurious, i + 1);
    }
    fake_port_raise(port); /* and life goes on */
    CHECK_EQ(served, 1);
}

TEST(link_to_a_port_without_word_is_dropped)
{
    evtchn_port_t port;

    start_events(EVENTS_FIFO);
    port = new_port(7);
    upcalls_disable();
    fake_port_raise(port);
    *fake_fifo_word(port) |= 100000;
    upcalls_enable();
    CHECK_EQ(served, 1);
    fake_port_raise(port);
    CHECK_EQ(served, 2);
}

static long refuse_expand(unsigned int nr, unsigned long cmd, void *arg, unsigned long count)
{
    (void)arg;
    (void)count;
    return nr == __HYPERVISOR_event_channel_op && cmd == EVTCHNOP_expand_array ? -XEN_ENOMEM
                                                                               : FAKE_GO_ON;
}

TEST(no_array_at_boot_is_an_error)
{
    fake_xen.hook = refuse_expand; /* the domain has been switched: two-level is no way back */
    CHECK_EQ(events_init(fake_shared_info, EVENTS_AUTO), -XEN_ENOMEM);
}
