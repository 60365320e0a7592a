/* SPDX-License-Identifier: MIT
 *
 * What boot/ and the arch folders need of the scheduler; everybody else uses thread.h and wait.h.
 */
#pragma once
#include "lib/percpu.h"

/* vCPU 0 at boot: run queue and timers of this vCPU, and the calling context becomes thread "boot"
 * on the stack [stack_bottom, stack_top), guard page below it not counted. From here on threads
 * exist. 0 or -XEN_ENOMEM. */
int sched_init(void *stack_bottom, void *stack_top);
/* Run queue, timers and idle thread for another vCPU, which has events already and isn't running
 * yet. It must start on the stack of cpu->current, with that thread's context, and end in
 * sched_idle(). 0 or -errno. Thread context. */
int sched_cpu_init(struct percpu *cpu);
/* The calling context, on each vCPU, becomes its idle thread. */
_Noreturn void sched_idle(void);

/* `cpu`, not vCPU 0, is to stop: no thread is placed there from now on, those that wait there go
 * elsewhere now, its running one as soon as it may be preempted. A thread that may run nowhere else
 * that is online may then run everywhere; that is logged. When all are gone, its timers too, its
 * idle thread calls the park function. Thread context, any vCPU. */
void sched_cpu_leave(struct percpu *cpu);
/* Boot: park() is called on a vCPU that left, upcalls masked, and returns, still masked, when it is
 * wanted again, having called sched_cpu_rejoin(). */
void sched_set_park(void (*park)(void));
/* The calling vCPU, which left, takes threads again. Upcalls masked. */
void sched_cpu_rejoin(void);

/* From the end of an upcall, upcalls masked, the interrupted state saved on the stack: switch to a
 * better thread if there is one. Returns, masked, when the interrupted thread is due again. */
void sched_preempt(void);
/* A new thread's first C code, called by the arch context with upcalls masked. */
_Noreturn void sched_thread_entry(void);

struct sched_stats {
    uint64_t switches;
    uint64_t idle_ns; /* of all vCPUs */
    unsigned int threads;
};
void sched_get_stats(struct sched_stats *stats);
/* How long this vCPU has been idle since it first started, until now; 0: it never did. Any vCPU. */
uint64_t sched_idle_ns(unsigned int vcpu);
/* Tell `print` of each thread; `frame` is where the backtrace of one that isn't running begins,
 * else NULL. For panics: no locks. */
void sched_each_thread(void (*print)(const struct thread *thread, const char *state,
                                     const unsigned long *frame));
