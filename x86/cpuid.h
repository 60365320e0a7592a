/* SPDX-License-Identifier: MIT
 *
 * CPUID as this domain may see it.
 */
#pragma once
#include "lib/types.h"

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf);

static inline bool cpuid_has_fsgsbase(void)
{
    return cpuid(7, 0).ebx & 1;
}

static inline bool cpuid_has_rdrand(void)
{
    return cpuid(1, 0).ecx >> 30 & 1;
}
