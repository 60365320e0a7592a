/* SPDX-License-Identifier: MIT
 *
 * Between the files of libc/ that know the time.
 */
#pragma once
#include <stdint.h>
#include <time.h>

/* The program's wall clock, ns since 1970: Xen's and what clock_settime() added. Any context. */
uint64_t libc_wall_ns(void);
void libc_wall_set(uint64_t ns);
/* When, on the monotonic clock, that time of the wall clock will be as it stands; 0: it is past. */
uint64_t libc_wall_to_monotonic(uint64_t wall_ns);
/* What all vCPUs together did so far apart from idling. */
uint64_t libc_busy_ns(void);
/* The time of any clock. 0 or EINVAL. Any context. */
int libc_clock_ns(clockid_t clock, uint64_t *ns);
/* The same with libc_threads_lock held; not for CLOCK_THREAD_CPUTIME_ID. */
int libc_clock_ns_locked(clockid_t clock, uint64_t *ns);
/* Nanoseconds of a timespec that is valid and not negative; TIME_NEVER beyond 584 years. */
uint64_t libc_timespec_ns(const struct timespec *time);
/* Sleep for `ns`; a cancellation point. 0, or EINTR after a handler of a signal, with *left what
 * was left unless NULL. */
int libc_sleep(uint64_t ns, struct timespec *left);

/* Only in programs that use them. */
__attribute__((weak)) void libc_timers_wall_set(uint64_t jump_ns);
/* After -XEN_EINTR from a sleep: EINTR if a handler ran, of any kind; may not return. */
__attribute__((weak)) int libc_interrupted_cancel_any(void);
/* At the end of a call that spends its time in Xen, no lock held: was the thread interrupted? A
 * loop around such a call is found in Xen's part each time, and never in the program's own code. */
__attribute__((weak)) void libc_look(void);
