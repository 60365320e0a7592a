/* SPDX-License-Identifier: MIT
 *
 * threads.h in a Xenolith domain.  An IPI is smp_call(): vCPU 1 runs a function in its upcall.
 */
#include <errno.h>
#include "hypercall/sched.h"
#include "hypercall/vcpu.h"
#include "lib/atomic.h"
#include "kernel/smp.h"
#include "kernel/time.h"
#include "lib/irq.h"
#include "tools/bench/threads.h"

void system_begin(void)
{
}

void system_end(void)
{
}

/* By the record that Xen keeps, which it writes when a vCPU begins to run and when it stops. Of the
 * one that asks, what has passed since is added: its beginning is by Xen's clock, which is ahead of
 * ours by always the same. */
static uint64_t recorded_ns(const struct percpu *cpu)
{
    const struct vcpu_runstate_info *record = &cpu->runstate;
    uint64_t entered_ns, ns;

    do {
        entered_ns = load_acquire(&record->state_entry_time);
        ns = load_once(&record->time[RUNSTATE_running]);
        if (cpu == this_percpu())
            ns += time_now_ns() - entered_ns;
    } while (entered_ns != load_acquire(&record->state_entry_time));
    return ns;
}

uint64_t system_own_ns(void)
{
    uint64_t ns = 0;

    for (unsigned int vcpu = 0; vcpu < MAX_VCPUS && percpus[vcpu]; vcpu++) {
        struct vcpu_runstate_info info = { 0 };

        ns += hypercall_vcpu_get_runstate_info(vcpu, &info) == 0
                  ? info.time[RUNSTATE_running]
                  : recorded_ns(percpus[vcpu]); /* ARM */
    }
    return ns;
}

void system_block(const volatile bool *unless)
{
    upcalls_disable();
    if (*unless)
        upcalls_enable();
    else
        hypercall_sched_block(); /* enables them */
}

static void nothing(void *unused)
{
    (void)unused;
}

int system_ipi(void)
{
    return smp_call(1, nothing, NULL, true) ? EIO : 0;
}
