/* SPDX-License-Identifier: MIT
 *
 * Small things of the CPU itself.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* As `uname -m` says. */
#define ARCH_NAME "aarch64"
/* "pvh": what xl calls every domain on ARM. */
extern const char *arch_guest_type;
/* Not noted here: cpu_ticks() counts too coarsely to say how long a boot takes. */
static const uint64_t arch_start_ticks = 0;

/* In a loop that waits for another vCPU. */
static inline void cpu_relax(void)
{
    asm volatile("yield" ::: "memory");
}

/* Ticks of the virtual counter; only arch/ and the clock give them a meaning. Not before what
 * stands in front of it. */
static inline uint64_t cpu_ticks(void)
{
    uint64_t ticks;

    asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks)::"memory");
    return ticks;
}

/* 64 bits nobody outside can guess, as far as the CPU has them: RNDR, else the counter stirred. For
 * canaries and hash seeds, not for keys. Any context. */
uint64_t cpu_random(void);
/* The CPU's own generator is there: cpu_random() is fit for keys. */
bool cpu_random_is_strong(void);

struct percpu;

/* On each vCPU, first of all. */
static inline void cpu_set_percpu(struct percpu *cpu)
{
    asm volatile("msr tpidr_el1, %0" ::"r"(cpu) : "memory");
}

static inline void cpu_set_thread_register(unsigned long value)
{
    asm volatile("msr tpidr_el0, %0" ::"r"(value) : "memory");
}

/* The caller's frame, for backtraces: [0] is the frame above, [1] the return address. */
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
