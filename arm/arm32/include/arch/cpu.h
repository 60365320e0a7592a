/* SPDX-License-Identifier: MIT
 *
 * Small things of the CPU itself.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* As `uname -m` says. */
#define ARCH_NAME "armv7l"
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

    asm volatile("isb\n\tmrrc p15, 1, %Q0, %R0, c14" : "=r"(ticks)::"memory"); /* CNTVCT */
    return ticks;
}

/* 64 bits nobody outside can guess, as far as the CPU has them, which is not far: the counter
 * stirred. For canaries and hash seeds, not for keys. Any context. */
uint64_t cpu_random(void);
/* The CPU's own generator is there: cpu_random() is fit for keys. */
bool cpu_random_is_strong(void);

struct percpu;

/* On each vCPU, first of all. */
static inline void cpu_set_percpu(struct percpu *cpu)
{
    asm volatile("mcr p15, 0, %0, c13, c0, 4" ::"r"(cpu) : "memory"); /* TPIDRPRW */
}

static inline void cpu_set_thread_register(unsigned long value)
{
    asm volatile("mcr p15, 0, %0, c13, c0, 3" ::"r"(value) : "memory"); /* TPIDRURO */
}

/* The caller's frame, for backtraces: [0] is the frame pointer above, [1] the return address, which
 * is where gcc has a frame pointer point.  In a function that calls nobody it keeps only the
 * former, at [1]. */
static inline const unsigned long *cpu_frame(void)
{
    return (const unsigned long *)__builtin_frame_address(0) - 1;
}

extern char __text_start[], __text_end[];

/* Whether [1] is a return address. */
static inline bool cpu_frame_returns(const unsigned long *frame)
{
    return frame[1] - (unsigned long)__text_start < (unsigned long)(__text_end - __text_start);
}

static inline const unsigned long *cpu_frame_above(const unsigned long *frame)
{
    unsigned long fp = frame[cpu_frame_returns(frame) ? 0 : 1];

    return fp ? (const unsigned long *)fp - 1 : (const unsigned long *)0;
}
