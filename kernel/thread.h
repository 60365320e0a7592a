/* SPDX-License-Identifier: MIT
 *
 * Threads: preemptive, on per-vCPU run queues.  All share the one address space; each has a stack
 * with a guard page, thread-local storage and a name.
 */
#pragma once
#include "lib/percpu.h"
#include "lib/types.h"

/* Strict on each vCPU: a thread runs only while no better one is ready; equals take turns, each for
 * a slice. Services of the kernel are HIGH, a program NORMAL; a thread that computes for long ought
 * to be LOW, or lets those below it starve. */
enum thread_priority { PRIORITY_HIGH, PRIORITY_NORMAL, PRIORITY_LOW, PRIORITY_IDLE, PRIORITIES };

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
/* For threads that live as long as the domain: created, detached, and a panic if that fails (boot
 * only). */
void thread_start_service(const char *name, void (*fn)(void *arg), void *arg);

/* End the calling thread. */
_Noreturn void thread_exit(void);
/* Wait until `thread` has ended, then free it. deadline_ns: TIME_NEVER for none. 0 or
 * -XEN_ETIMEDOUT (nothing was freed then). */
int thread_join(struct thread *thread, uint64_t deadline_ns);
/* Nobody will join: free it when it ends. */
void thread_detach(struct thread *thread);

void thread_yield(void);
const char *thread_name(const struct thread *thread);
/* [*bottom, *top): the calling thread's stack without its guard page. Any context. */
void thread_stack_bounds(const struct thread *thread, unsigned long *bottom, unsigned long *top);
/* The thread whose guard page holds `address`, for fault reports; NULL. Takes no lock. */
const struct thread *thread_of_guard(unsigned long address);
/* A pointer the libc keeps per thread (its per-thread state beyond TLS). */
void thread_set_private(struct thread *thread, void *value);
void *thread_private(const struct thread *thread);

/* While > 0 the calling thread isn't preempted and stays on its vCPU; it must not sleep. */
void preempt_disable(void);
void preempt_enable(void);
/* False in an upcall, with upcalls masked or preemption off, and before the scheduler runs. */
bool may_sleep(void);
