/* SPDX-License-Identifier: MIT
 *
 * Small things of the CPU, on the host.
 */
#pragma once
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

static inline void cpu_relax(void)
{
    sched_yield(); /* the tests' machine may have fewer processors than we have vCPUs */
}

uint64_t cpu_ticks(void); /* 1 tick = 1 ns */
uint64_t cpu_random(void);

static inline const unsigned long *cpu_frame(void)
{
    return __builtin_frame_address(0);
}

/* Whether [1] is a return address; the frame above. */
static inline bool cpu_frame_returns(const unsigned long *frame)
{
    (void)frame;
    return true;
}

static inline const unsigned long *cpu_frame_above(const unsigned long *frame)
{
    return (const unsigned long *)frame[0];
}
