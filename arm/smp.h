/* SPDX-License-Identifier: MIT
 *
 * Further vCPUs: what boot/ tells, and what a starting one finds.
 */
#pragma once
#include "lib/types.h"

struct percpu;

/* Where a vCPU that PSCI starts goes on, once it is in virtual addresses (boot/arm*_entry.S). */
struct cpu_start {
    struct percpu *cpu;
    void (*entry)(void);
    unsigned long sp, tls, exception_sp;
    volatile char *gic_control, *gic_private;
};

/* Boot: how many vCPUs there are, and where the redistributors are (version 3; else 0). */
void arm_smp_init(unsigned int vcpus, uint64_t redistributors, uint64_t size);

/* In boot/: the code a vCPU begins with, MMU off. */
extern const char arm_cpu_entry[];
/* context.S: stop, and return when the vCPU was started again at `start`. */
void arm_cpu_off(struct cpu_start *start);
