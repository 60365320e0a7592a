/* SPDX-License-Identifier: MIT
 *
 * Forgetting translations, on every vCPU.  Barriers are the caller's.  Only arm/mmu.c includes
 * this.
 */
#pragma once

static inline void tlb_flush_all(void)
{
    asm volatile("tlbi vmalle1is" ::: "memory");
}

static inline void tlb_flush_page(unsigned long virt)
{
    asm volatile("tlbi vaae1is, %0" ::"r"(virt >> 12) : "memory");
}
