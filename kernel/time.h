/* SPDX-License-Identifier: MIT
 *
 * Clocks and timers.  Monotonic time is Xen's system time, ns since the host booted or so, never
 * backwards on any vCPU; deadlines are absolute in it.  Timers are tickless: the vCPU is asked for
 * one interrupt, at the earliest deadline.
 */
#pragma once
#include "lib/percpu.h"
#include "lib/types.h"

/* Any context. */
uint64_t time_now_ns(void);
/* Since 1970-01-01 UTC. Any context. */
uint64_t time_wall_ns(void);
/* now + `ns`, saturating at TIME_NEVER. */
uint64_t time_after_ns(uint64_t ns);

struct timer {
    uint64_t deadline_ns;
    void (*fn)(
        void *arg); /* in the upcall of the vCPU that armed it: notes and wakes, nothing more */
    void *arg;
    /* the rest is time.c's */
    struct timer *child, *sibling, *prev; /* pairing heap; held: the heap's lock */
    struct timers *heap;                  /* NULL: not armed */
};

void timer_init(struct timer *timer, void (*fn)(void *arg), void *arg);
/* Arm (again) on this vCPU. Any context. */
void timer_arm(struct timer *timer, uint64_t deadline_ns);
/* When this returns the timer isn't armed; its fn may still be running on another vCPU unless it
 * was armed on this one. True: it was armed and has not fired. Any context. */
bool timer_cancel(struct timer *timer);

/* Sleep until the deadline. Thread context. */
void thread_sleep_until(uint64_t deadline_ns);
/* 0, or -XEN_EINTR by thread_interrupt(). Thread context. */
int thread_sleep_interruptible(uint64_t deadline_ns);

/* Boot, on each vCPU: start its timer. `shared` tells where shared_info with the wall clock is;
 * NULL on secondary vCPUs. 0 or -errno. */
int time_init(struct shared_info *(*shared)(void));
