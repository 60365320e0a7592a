/* SPDX-License-Identifier: MIT
 *
 * Forgetting translations, on every vCPU.  Barriers are the caller's.  Only arm/mmu.c includes
 * this.
 */
#pragma once

static inline void tlb_flush_all(void)
{
    asm volatile("mcr p15, 0, %0, c8, c3, 0" ::"r"(0) : "memory"); /* TLBIALLIS */
}

static inline void tlb_flush_page(unsigned long virt)
{
    asm volatile("mcr p15, 0, %0, c8, c3, 3" ::"r"(virt & ~0xfffUL) : "memory"); /* TLBIMVAAIS */
}
