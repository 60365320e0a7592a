/* SPDX-License-Identifier: MIT
 *
 * The virtual timer of the running vCPU.
 */
#pragma once
#include <stdint.h>

static inline uint32_t timer_frequency(void)
{
    uint32_t hz;

    asm volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(hz)); /* CNTFRQ */
    return hz;
}

/* Interrupt when the counter reaches `ticks`. */
static inline void timer_start(uint64_t ticks)
{
    asm volatile("mcrr p15, 3, %Q0, %R0, c14\n\t" /* CNTV_CVAL */
                 "mcr p15, 0, %1, c14, c3, 1\n\t" /* CNTV_CTL */
                 "isb" ::"r"(ticks),
                 "r"(1)
                 : "memory");
}

static inline void timer_stop(void)
{
    asm volatile("mcr p15, 0, %0, c14, c3, 1\n\tisb" ::"r"(0) : "memory");
}
