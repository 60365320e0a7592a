/* SPDX-License-Identifier: MIT
 *
 * The host's clock: real time plus what fake_time_skip() added.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>

uint64_t arch_clock_ns(void);
/* By Xen's clock, as SCHEDOP_poll wants it: so many ns from now. Any context. */
static inline uint64_t arch_xen_deadline_ns(uint64_t from_now_ns)
{
    return arch_clock_ns() + from_now_ns;
}
int arch_timer_start(void (*expired)(evtchn_port_t port, void *arg));
/* Noted in fake_xen.timer_ns of this vCPU; a test raises the VIRQ. */
void arch_timer_set(uint64_t deadline_ns);
