/* SPDX-License-Identifier: MIT
 *
 * Threads: preemptive, on per-vCPU run queues.  All share the one address space; each has a stack
 * with a guard page, thread-local storage and a name.
 */
#pragma once
#include "lib/percpu.h"
#include "lib/types.h"
#include "lib/vcpu_set.h"

/* Strict on each vCPU: a thread runs only while no better one is ready; equals take turns, each for
 * a slice, unless they are fifo. Services of the kernel are HIGH, a program NORMAL; REALTIME and
 * the levels after it, lower is better, are for programs that ask. A thread that computes for long
 * ought to be LOW, or lets those below it starve. */
#define REALTIME_LEVELS 32
enum thread_priority {
    PRIORITY_HIGH,
    PRIORITY_REALTIME,
    PRIORITY_NORMAL = PRIORITY_REALTIME + REALTIME_LEVELS,
    PRIORITY_LOW,
    PRIORITY_IDLE,
    PRIORITIES
};

#define THREAD_NAME_MAX      16
#define THREAD_STACK_ORDER   4 /* 64 KiB, guard page included */
#define KERNEL_STACK_ORDER   3
#define THREAD_TIME_SLICE_NS (10 * NS_PER_MS)

struct thread;

/* Start fn(arg) in a new thread. The thread is freed by thread_join() or thread_detach(); it runs
 * as soon as a vCPU is free, perhaps before this returns. *thread out. 0 or -XEN_ENOMEM. Thread
 * context. */
int thread_create(struct thread **thread, const char *name, unsigned int stack_order,
                  enum thread_priority priority, void (*fn)(void *arg), void *arg);
struct thread_options {
    const char *name;
    unsigned int stack_order; /* pages, 2^order of them, guard page included; 0: the default */
    unsigned int priority;    /* below PRIORITIES */
    bool fifo;                /* equals wait until it sleeps or yields: no time slice */
    const struct vcpu_set *affinity; /* where it may run; NULL: everywhere */
};
/* The same with all choices. 0, -XEN_ENOMEM or -XEN_EINVAL: no online vCPU in the affinity. */
int thread_create_with(struct thread **thread, const struct thread_options *options,
                       void (*fn)(void *arg), void *arg);
/* For threads that live as long as the domain: created, detached, and a panic if that fails (boot
 * only). */
void thread_start_service(const char *name, void (*fn)(void *arg), void *arg);

/* End the calling thread. */
_Noreturn void thread_exit(void);
/* Wait until `thread` has ended, then free it. deadline_ns: TIME_NEVER for none. 0 or
 * -XEN_ETIMEDOUT (nothing was freed then). */
int thread_join(struct thread *thread, uint64_t deadline_ns);
/* The same, but thread_interrupt() of the caller ends the wait: -XEN_EINTR. */
int thread_join_interruptible(struct thread *thread, uint64_t deadline_ns);
/* Nobody will join: free it when it ends. */
void thread_detach(struct thread *thread);

void thread_yield(void);
const char *thread_name(const struct thread *thread);
/* Cut to THREAD_NAME_MAX - 1 characters. */
void thread_set_name(struct thread *thread, const char *name);
/* [*bottom, *top): the calling thread's stack without its guard page. Any context. */
void thread_stack_bounds(const struct thread *thread, unsigned long *bottom, unsigned long *top);
/* The thread whose guard page holds `address`, for fault reports; NULL. Takes no lock. */
const struct thread *thread_of_guard(unsigned long address);
/* A pointer the libc keeps per thread (its per-thread state beyond TLS). */
void thread_set_private(struct thread *thread, void *value);
void *thread_private(const struct thread *thread);

/* Takes effect at once, wherever the thread is: it goes behind its new equals. fifo: as in struct
 * thread_options. A thread that holds a mutex which inherits priorities may run at a better one
 * meanwhile. Any context. */
void thread_set_priority(struct thread *thread, unsigned int priority, bool fifo);
/* Its own, not what it inherited. *fifo out unless NULL. Any context. */
unsigned int thread_priority(const struct thread *thread, bool *fifo);
/* Where it may run from now on; it moves at once, a caller before this returns. When the last such
 * vCPU goes offline the set becomes all vCPUs. 0 or -XEN_EINVAL: no online vCPU in it. Any context.
 */
int thread_set_affinity(struct thread *thread, const struct vcpu_set *vcpus);
void thread_affinity(const struct thread *thread, struct vcpu_set *vcpus);
/* Where it runs, or ran last. Any context. */
unsigned int thread_vcpu(const struct thread *thread);
/* CPU time it had since the first call of this for any thread, without what Xen gave to others
 * meanwhile; before that call switches read no clock. Any context. */
uint64_t thread_cpu_ns(struct thread *thread);

/* Raise the thread's interrupted flag: an interruptible sleep of it (waitq_sleep_interruptible()
 * and what stands on it) ends with -XEN_EINTR, and so does each later one, until it calls
 * thread_interrupt_clear(). Any context; not with a wait queue's lock held. */
void thread_interrupt(struct thread *thread);
void thread_interrupt_clear(void);
bool thread_interrupted(void);
/* Once: what an interrupted thread calls when it is found running with asynchronous interrupts
 * allowed; upcalls on, no lock held, between any two of its instructions. They are not allowed
 * during the call, unless it says so by thread_allow_async(). It may never return (longjmp,
 * thread_exit()). */
void thread_set_async(void (*fn)(void));
/* For the calling thread; off at its start. Returns what it was. An interrupt that came while it
 * was off comes before this returns. */
bool thread_allow_async(bool allow);

/* While > 0 the calling thread isn't preempted and stays on its vCPU; it must not sleep. */
void preempt_disable(void);
void preempt_enable(void);
/* False in an upcall, with upcalls masked or preemption off, and before the scheduler runs. */
bool may_sleep(void);
