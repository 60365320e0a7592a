/* SPDX-License-Identifier: MIT
 *
 * What the tests of events/ share: a start under either ABI, and a handler that counts.
 */
#pragma once
#include <pthread.h>
#include "arch/clock.h"
#include "events/events.h"
#include "hypercall/event_channel.h"
#include "lib/atomic.h"
#include "lib/irq.h"
#include "tests/host/test.h"

static inline void start_events(enum events_abi abi)
{
    CHECK_EQ(events_init(fake_shared_info, abi), 0);
    CHECK_EQ(events_get_abi(), abi);
    upcalls_enable();
}

/* The body that follows runs as two tests, one per ABI. */
#define TEST_BOTH_ABIS(name)                                                                       \
    static void name(void);                                                                        \
    TEST(name##_2l)                                                                                \
    {                                                                                              \
        start_events(EVENTS_2L);                                                                   \
        name();                                                                                    \
    }                                                                                              \
    TEST(name##_fifo)                                                                              \
    {                                                                                              \
        start_events(EVENTS_FIFO);                                                                 \
        name();                                                                                    \
    }                                                                                              \
    static void name(void)

/* Handler: *arg is an unsigned int. */
static inline void count_event(evtchn_port_t port, void *arg)
{
    (void)port;
    __atomic_fetch_add((unsigned int *)arg, 1, __ATOMIC_SEQ_CST);
}

/* What a test counts, and a port whose events are counted there. */
static unsigned int hits;

static inline evtchn_port_t bound_port(void)
{
    evtchn_port_t port = fake_port_open();

    CHECK_EQ(event_bind(port, count_event, &hits), 0);
    return port;
}

/* Prepare another vCPU, played by the caller only while it runs as_vcpu(). */
static inline void add_vcpu(unsigned int vcpu)
{
    struct percpu *mine = this_percpu();
    struct percpu *cpu = fake_cpu_adopt(vcpu);

    cpu->vcpu_info.evtchn_upcall_mask = 0;
    fake_percpu = mine;
    CHECK_EQ(events_cpu_init(cpu), 0);
}

/* Let `vcpu` take its upcalls. */
static inline void run_vcpu(unsigned int vcpu)
{
    struct percpu *mine = this_percpu();

    fake_percpu = percpus[vcpu];
    fake_deliver();
    fake_percpu = mine;
}
