/* SPDX-License-Identifier: MIT
 *
 * What threads.c and parallel.c share, and what they need of a system beyond POSIX: the domain's
 * own time, and an IPI, which threads_linux.c and apps/bench-threads/system.c have.
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

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define THREADS_MAX   8

/* --- threads.c --- */

uint64_t bench_now_ns(void); /* CLOCK_MONOTONIC */
/* The calling thread runs on that vCPU only. 0 or an errno. */
int bench_pin(unsigned int vcpu);
/* An operation that was to do what it did, or not: then the program fails in the end. Any thread.
 */
void bench_must(bool ok);

/* --- parallel.c: each prints its lines. From main, not pinned yet. --- */

void parallel_scale(void);
void parallel_crowd(void);
