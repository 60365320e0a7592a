/* SPDX-License-Identifier: MIT
 *
 * Threads on the simulated machine that compute until they are stopped, for tests of where they
 * run.
 */
#pragma once
#include "tests/host/sim.h"

static bool stop;
static unsigned int share[16];

static inline struct vcpu_set set_of(unsigned long bits)
{
    return (struct vcpu_set){ { bits } };
}

static inline unsigned int here(void)
{
    return this_percpu()->vcpu;
}

static inline struct thread *start_with(const struct thread_options *options, void (*fn)(void *),
                                        void *arg)
{
    struct thread *thread;

    if (thread_create_with(&thread, options, fn, arg))
        sim_fail("a thread is not created");
    return thread;
}

static inline void compute(void *arg)
{
    unsigned int *mine = arg;

    while (!stop) {
        sim_point();
        ++*mine;
    }
}
