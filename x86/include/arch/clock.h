/* SPDX-License-Identifier: MIT
 *
 * Where the CPU's clock comes from: on x86 Xen's pvclock in vcpu_info, interpolated by the
 * time-stamp counter; the one-shot timer is a hypercall.  kernel/time.c makes time of it.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>

/* Xen's system time on the running vCPU, ns; may step back by a little between vCPUs. Any context.
 */
uint64_t arch_clock_ns(void);
/* By Xen's clock, as SCHEDOP_poll wants it: so many ns from now. Any context. */
static inline uint64_t arch_xen_deadline_ns(uint64_t from_now_ns)
{
    return arch_clock_ns() + from_now_ns;
}
/* On each vCPU, before the first arch_timer_set() that matters: call `expired` in an upcall each
 * time the timer expires, as an event's handler. 0 or -errno. */
int arch_timer_start(void (*expired)(evtchn_port_t port, void *arg));
/* Interrupt this vCPU at the absolute time, or at once if it is past. TIME_NEVER: not at all.
 * Upcalls masked. */
void arch_timer_set(uint64_t deadline_ns);
