/* SPDX-License-Identifier: MIT
 *
 * Xen's pvclock: a record per vCPU says what system time it was at which count of the time-stamp
 * counter, and how to scale the difference.  Xen rewrites it at any time; its version is odd
 * meanwhile.  Follows Xen public/xen.h, struct vcpu_time_info.
 */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "events/events.h"
#include "hypercall/vcpu.h"
#include "lib/atomic.h"
#include "lib/percpu.h"

static uint64_t scale(uint64_t ticks, uint32_t mul, int8_t shift)
{
    if (shift < 0)
        ticks >>= -shift;
    else
        ticks <<= shift;
    return (uint64_t)((unsigned __int128)ticks * mul >> 32);
}

uint64_t arch_clock_ns(void)
{
    const struct percpu *cpu;
    const struct vcpu_time_info *time;
    uint32_t version;
    uint64_t ns;

    do {
        cpu = this_percpu();
        time = &cpu->vcpu_info.time;
        version = load_acquire(&time->version);
        ns = load_once(&time->system_time) + scale(cpu_ticks() - load_once(&time->tsc_timestamp),
                                                   load_once(&time->tsc_to_system_mul),
                                                   load_once(&time->tsc_shift));
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (version & 1 || version != load_once(&time->version) || cpu != this_percpu());
    return ns;
}

__attribute__((cold)) int arch_timer_start(void (*expired)(evtchn_port_t port, void *arg))
{
    unsigned int vcpu = this_percpu()->vcpu;
    evtchn_port_t port;
    int rc = hypercall_vcpu_stop_periodic_timer(vcpu);

    return rc ? rc : event_bind_virq(VIRQ_TIMER, vcpu, expired, NULL, &port);
}

void arch_timer_set(uint64_t deadline_ns)
{
    unsigned int vcpu = this_percpu()->vcpu;

    if (deadline_ns == TIME_NEVER)
        hypercall_vcpu_stop_singleshot_timer(vcpu);
    else
        hypercall_vcpu_set_singleshot_timer(vcpu, deadline_ns);
}
