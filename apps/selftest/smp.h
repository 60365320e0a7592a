/* SPDX-License-Identifier: MIT
 *
 * What the tests of many vCPUs share: a thread on a chosen vCPU, a repeatable random number.
 */
#pragma once
#include "kernel/smp.h"
#include "selftest.h"

/* Skip the test in a domain with fewer vCPUs. */
#define REQUIRE_VCPUS(count)                                                                       \
    do {                                                                                           \
        if (vcpu_set_count(&vcpus_online) < (count)) {                                             \
            test_skip("too few vCPUs");                                                            \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* Vectors of that many threads fit any domain the tests are run in. */
#define SMP_THREADS_MAX 16

static inline uint32_t smp_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* The nth vCPU that is online, counting round. */
unsigned int smp_nth_online(unsigned int n);
/* With hardware assistance, which the test bed emulates: what needs many of Xen's switches is slow,
 * and done less often. */
bool smp_is_emulated(void);
/* fn(arg) in a thread that runs on `vcpu` only. False, and the test fails: no memory. */
bool smp_thread_on(struct thread **thread, unsigned int vcpu, void (*fn)(void *arg), void *arg);
/* fn(arg + i * size) in `count` threads, the ith on the ith vCPU that is online, counting round;
 * all joined when this returns. */
void smp_run_everywhere(unsigned int count, void (*fn)(void *arg), void *arg, size_t size);
