/* SPDX-License-Identifier: MIT
 *
 * The base of FS (thread-local storage). That of GS (percpu) is set once, by who starts a vCPU.
 */
#pragma once
#include "lib/types.h"

/* WRFSBASE where the CPU and Xen let us, else what the guest type has; decided by segment_init().
 */
extern bool segment_have_wrfsbase;
void segment_init(void);
void segment_set_fs_slow(unsigned long base);

static inline void segment_set_fs(unsigned long base)
{
    if (segment_have_wrfsbase)
        asm volatile("wrfsbase %0" ::"r"(base));
    else
        segment_set_fs_slow(base);
}
