/* SPDX-License-Identifier: MIT
 *
 * Scheduling and domain life hypercalls, typed.  Follows Xen public/sched.h.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/sched.h>
#include "hypercall/hypercall.h"

/* Give the physical CPU to somebody else for a while. */
static inline void hypercall_sched_yield(void)
{
    hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

/* Unmask upcalls and sleep until one is due, atomically. Upcalls masked on entry, unmasked after.
 */
static inline void hypercall_sched_block(void)
{
    hypercall2(__HYPERVISOR_sched_op, SCHEDOP_block, 0);
}

/* End the domain for `reason` (SHUTDOWN_poweroff, _reboot, _crash, ...). Does not return, except
 * for SHUTDOWN_suspend. */
static inline int hypercall_sched_shutdown(unsigned int reason)
{
    struct sched_shutdown op = { .reason = reason };

    return (int)hypercall2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &op);
}

/* Sleep until one of `ports` is pending (masked or not) or the absolute system time `deadline_ns`
 * is reached (0: no limit). */
static inline int hypercall_sched_poll(evtchn_port_t *ports, unsigned int nr_ports,
                                       uint64_t deadline_ns)
{
    struct sched_poll op = { .nr_ports = nr_ports, .timeout = deadline_ns };

    set_xen_guest_handle(op.ports, ports);
    return (int)hypercall2(__HYPERVISOR_sched_op, SCHEDOP_poll, &op);
}
