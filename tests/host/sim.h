/* SPDX-License-Identifier: MIT
 *
 * kernel/ on a simulated machine of several vCPUs, in one host thread and repeatable from a seed.
 * Each atomic access, change of the upcall mask and hypercall is a point where another vCPU may go
 * on or an upcall may come.  A test file that includes this gets the sources of kernel/ themselves,
 * with the CPU and Xen under them replaced (sim_machine.h).  Memory is sequentially consistent
 * here: a missing barrier is not found.
 */
#pragma once
#include <sched.h>
#include "tests/host/test.h"
#include "arch/cpu.h"
#include "arch/hypercall.h"
#include "lib/atomic.h"

/* Somebody else's turn, perhaps, or an upcall. Tests call it for "work". */
void sim_point(void);
/* Surely somebody else's turn, if anybody has anything to do. */
void sim_let_others(void);
uint64_t sim_stolen_ns(const struct percpu *cpu);
long sim_hypercall(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3);

#undef load_acquire
#undef store_release
#undef load_once
#undef store_once
#undef atomic_exchange
#undef atomic_fetch_or
#undef atomic_fetch_and
#undef atomic_compare_exchange
#define load_acquire(p)       (sim_point(), __atomic_load_n(p, __ATOMIC_ACQUIRE))
#define store_release(p, v)   (sim_point(), __atomic_store_n(p, v, __ATOMIC_RELEASE))
#define load_once(p)          (sim_point(), __atomic_load_n(p, __ATOMIC_RELAXED))
#define store_once(p, v)      (sim_point(), __atomic_store_n(p, v, __ATOMIC_RELAXED))
#define atomic_exchange(p, v) (sim_point(), __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST))
#define atomic_compare_exchange(p, expected, desired)                                              \
    (sim_point(),                                                                                  \
     __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
#define atomic_fetch_or(p, v)         (sim_point(), __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST))
#define atomic_fetch_and(p, v)        (sim_point(), __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST))
#define cpu_relax                     sim_let_others
#define hypercall5(nr, a, b, c, d, e) sim_hypercall(nr, a, b, c)
#define upcalls_disable               sim_upcalls_disable
#define upcalls_enable                sim_upcalls_enable
#define upcalls_enabled               sim_upcalls_enabled
#define arch_clock_ns                 sim_clock_ns
#define arch_timer_set                sim_timer_set
#define arch_timer_start              sim_timer_start
#define ipi_bind                      sim_ipi_bind
#define ipi_send                      sim_ipi_send

#define cpu_stolen_ns sim_stolen_ns

/* The names in these files don't collide. */
#include "lib/spinlock.c"
#include "kernel/account.c"
#include "kernel/balance.c"
#include "kernel/hotplug.c"
#include "kernel/idle.c"
#include "kernel/inherit.c"
#include "kernel/interrupt.c"
#include "kernel/kick.c"
#include "kernel/mutex.c"
#include "kernel/preempt.c"
#include "kernel/priority.c"
#include "kernel/sched.c"
#include "kernel/slice.c"
#include "kernel/thread.c"
#include "kernel/time.c"
#include "kernel/timer.c"
#include "kernel/wait.c"
#include "tests/host/sim_machine.h"
