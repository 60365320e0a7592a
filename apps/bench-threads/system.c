/* SPDX-License-Identifier: MIT
 *
 * threads.h in a Xenolith domain.  An IPI is smp_call(): vCPU 1 runs a function in its upcall.
 */
#include <errno.h>
#include "hypercall/sched.h"
#include "hypercall/vcpu.h"
#include "kernel/smp.h"
#include "kernel/time.h"
#include "lib/irq.h"
#include "threads.h"

void system_begin(void)
{
}

void system_end(void)
{
}

uint64_t system_own_ns(void)
{
    uint64_t ns = 0;

    for (unsigned int vcpu = 0; vcpu < MAX_VCPUS && percpus[vcpu]; vcpu++) {
        struct vcpu_runstate_info info = { 0 };

        if (hypercall_vcpu_get_runstate_info(vcpu, &info) == 0)
            ns += info.time[RUNSTATE_running];
    }
    return ns ? ns : time_now_ns(); /* Xen on ARM does not say */
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
