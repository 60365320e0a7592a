/* SPDX-License-Identifier: MIT
 *
 * The virtual timer of the running vCPU.
 */
#pragma once
#include <stdint.h>

static inline uint32_t timer_frequency(void)
{
    unsigned long hz;

    asm volatile("mrs %0, cntfrq_el0" : "=r"(hz));
    return (uint32_t)hz;
}

/* Interrupt when the counter reaches `ticks`. */
static inline void timer_start(uint64_t ticks)
{
    asm volatile("msr cntv_cval_el0, %0\n\t"
                 "msr cntv_ctl_el0, %1\n\t"
                 "isb" ::"r"(ticks),
                 "r"(1UL)
                 : "memory");
}

static inline void timer_stop(void)
{
    asm volatile("msr cntv_ctl_el0, xzr\n\tisb" ::: "memory");
}
