/* SPDX-License-Identifier: MIT
 *
 * Registers that are ours with hardware assistance.  Follows AMD's and Intel's manuals.
 */
#pragma once

#define MSR_APIC_BASE  0x1b
#define MSR_X2APIC_TPR 0x808
#define MSR_X2APIC_EOI 0x80b
#define MSR_X2APIC_SVR 0x80f
#define MSR_X2APIC_ICR 0x830

#define APIC_BASE_X2APIC (1 << 10)
#define APIC_BASE_ON     (1 << 11)
#define APIC_SVR_ON      (1 << 8)

#define MSR_EFER    0xc0000080
#define MSR_STAR    0xc0000081
#define MSR_LSTAR   0xc0000082
#define MSR_SFMASK  0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101

#define CR4_UMIP     (1UL << 11)
#define CR4_FSGSBASE (1UL << 16)
#define CR4_SMEP     (1UL << 20)
#define CR4_SMAP     (1UL << 21)

#ifndef __ASSEMBLER__
#include <stdint.h>
#include "arch/port.h"

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;

    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    asm volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

#define READ_CR(n)                                                                                 \
    ({                                                                                             \
        unsigned long value_;                                                                      \
        asm volatile("mov %%cr" #n ", %0" : "=r"(value_));                                         \
        value_;                                                                                    \
    })
#define WRITE_CR(n, value) asm volatile("mov %0, %%cr" #n ::"r"((unsigned long)(value)) : "memory")
#endif
