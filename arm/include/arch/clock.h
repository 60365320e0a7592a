/* SPDX-License-Identifier: MIT
 *
 * The generic timer's virtual counter and timer: counted from the domain's creation, the same on
 * every vCPU.  kernel/time.c makes time of it.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>

/* ns since the domain's creation. Any context. */
uint64_t arch_clock_ns(void);
/* By Xen's clock, as SCHEDOP_poll wants it: so many ns from now, or earlier. Xen counts from its
 * own start; nobody tells how far that is from the domain's, but the runstate says when, by Xen's
 * clock, this vCPU last began to run. Any context. */
uint64_t arch_xen_deadline_ns(uint64_t from_now_ns);
/* On each vCPU, before the first arch_timer_set() that matters: call `expired` in an upcall each
 * time the timer expires, as an event's handler. 0 or -errno. */
int arch_timer_start(void (*expired)(evtchn_port_t port, void *arg));
/* Interrupt this vCPU at the absolute time, or at once if it is past. TIME_NEVER: not at all.
 * Upcalls masked. */
void arch_timer_set(uint64_t deadline_ns);
