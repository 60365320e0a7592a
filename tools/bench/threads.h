/* SPDX-License-Identifier: MIT
 *
 * What tools/bench/threads.c needs of a system beyond POSIX: the domain's own time, and an IPI.
 * threads_linux.c and apps/bench-threads/system.c have it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* First and last: make the functions below work, end the domain if main's return does not. */
void system_begin(void);
void system_end(void);
/* The time the domain's vCPUs have run, all together, ns: two of them may be compared. */
uint64_t system_own_ns(void);
/* Have vCPU 1, which is in system_block(), run something in its kernel, and wait for it. 0 or an
 * errno. */
int system_ipi(void);
/* The vCPU waits in Xen until it gets an event, while the system believes that the calling thread
 * runs. Not if *unless, or not for ever. */
void system_block(const volatile bool *unless);
