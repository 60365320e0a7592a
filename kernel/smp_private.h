/* SPDX-License-Identifier: MIT
 *
 * What smp.c, call.c and stop.c keep of a vCPU.
 */
#pragma once
#include "kernel/smp.h"
#include "kernel/wait.h"

#define CALLS_MAX 16 /* waiting to be made on a vCPU; callers beyond wait for room */

struct call {
    void (*fn)(void *arg);
    void *arg;
    unsigned int *pending; /* the caller counts down what it waits for; NULL: it does not wait */
};

struct smp_cpu {
    bool started; /* it has had its registers: cpu_restart() will do; held: hotplug */
    bool arrived; /* it has run; written by itself */
    bool running; /* it has arrived, and is not parked; written by itself */

    spinlock_t lock;
    bool takes_calls;                /* held: lock */
    struct call calls[CALLS_MAX];    /* held: lock */
    unsigned int first_call, ncalls; /* held: lock; a ring */

    /* A panic's: where it was stopped. `stopped` is set last. */
    bool stopped;
    unsigned long stopped_pc; /* 0: nothing to add to the frames */
    const unsigned long *stopped_frame;
    const char *stopped_reason; /* it was about to panic itself; NULL */
};

/* Serve what others want this vCPU to call. Upcalls masked. */
void smp_calls_run(struct smp_cpu *cpu);
/* From now on calls are taken, or refused; those taken already are made. On the vCPU itself,
 * upcalls masked. */
void smp_calls_open(struct smp_cpu *cpu, bool open);

/* Has a panic begun? Then stop here. In the upcall of its IPI. */
void smp_stop_check(void);
/* Boot: have panics stop the other vCPUs. */
void smp_stop_init(void);
