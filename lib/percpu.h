/* SPDX-License-Identifier: MIT
 *
 * What each vCPU has of its own.  A part of the kernel that keeps more per vCPU allocates it when
 * the vCPU is prepared and hangs it here by pointer, so that no array grows with the largest vCPU
 * number.  The arch header finds the running vCPU's percpu in one instruction.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/vcpu.h>
#include "lib/types.h"
#include "lib/vcpu_set.h"

struct thread;
struct runq;
struct events_cpu;
struct timers;
struct malloc_cache;
struct netbuf_pool;
struct smp_cpu;

#ifdef DEBUG
/* The spinlocks this vCPU holds: lock_order.c. */
struct lock_order {
    unsigned int count;
    const struct spinlock *held[8];
};
#endif

struct percpu {
    struct percpu *self;        /* must be first: the arch header reads it through the segment */
    unsigned int vcpu;          /* Xen's number of this vCPU */
    unsigned int upcall_depth;  /* > 0: in an upcall; must not sleep */
    unsigned int preempt_count; /* > 0: the running thread stays on this vCPU */
    bool need_resched;          /* a better thread waits; looked at when the upcall ends */
    bool leaving;               /* it is to stop: kernel/hotplug.c */
    bool kicks_due;             /* `kicks` isn't empty; need_resched is up too then */
    struct thread *current;
    struct runq *runq;                 /* kernel/ */
    struct timers *timers;             /* kernel/ */
    struct smp_cpu *smp;               /* kernel/ */
    struct events_cpu *events;         /* events/ */
    struct malloc_cache *malloc_cache; /* libc/ */
    struct netbuf_pool *netbufs;       /* net/ */
    struct vcpu_set kicks;             /* kernel/: to be told to look at their queues */
    uint32_t ipi_ports[2];             /* x86/ipi.c: by enum ipi; 0: none yet */

    /* Registered with Xen: must not cross a page, must never move. */
    struct vcpu_info vcpu_info __attribute__((aligned(64)));
    struct vcpu_runstate_info runstate; /* registered too: where this vCPU's time went */
#ifdef DEBUG
    struct lock_order locks;
#endif
} __attribute__((aligned(128)));

/* NULL for a vCPU that was never prepared. Slots are set once, before the vCPU starts. */
extern struct percpu *percpus[MAX_VCPUS];
extern struct percpu percpu_boot; /* vCPU 0's */
/* Running, and taking threads. Changed by kernel/smp.c; read without lock. */
extern struct vcpu_set vcpus_online;

/* How long `cpu` was ready to run so far but Xen ran somebody else, ns. Any context. */
uint64_t cpu_stolen_ns(const struct percpu *cpu);

#include "arch/percpu.h"
