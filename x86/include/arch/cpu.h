/* SPDX-License-Identifier: MIT
 *
 * Small things of the CPU itself.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* As `uname -m` says. */
#define ARCH_NAME "x86_64"
/* How Xen started us: "pv", "pvh" or "hvm". */
extern const char *arch_guest_type;
/* cpu_ticks() at the kernel's entry; 0 in a PV domain, where looking may be slow. For apps/bench.
 */
extern uint64_t arch_start_ticks;

/* In a loop that waits for another vCPU. */
static inline void cpu_relax(void)
{
    asm volatile("pause");
}

/* Ticks of the time-stamp counter; only arch/ and the clock give them a meaning. */
static inline uint64_t cpu_ticks(void)
{
    uint32_t low, high;

    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* 64 bits nobody outside can guess, as far as the CPU has them: RDRAND, else the time-stamp counter
 * stirred. For canaries and hash seeds, not for keys. Any context. */
uint64_t cpu_random(void);
/* The CPU's own generator is there: cpu_random() is fit for keys. */
bool cpu_random_is_strong(void);

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
