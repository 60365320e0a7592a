/* SPDX-License-Identifier: MIT
 *
 * CPUID as this domain may see it.
 */
#pragma once
#include "lib/types.h"

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

/* In PV the plain instruction may show the host's values instead of the domain's; the five bytes
 * before it (ud2 "xen") make Xen answer. Xen public/arch-x86/xen.h. */
static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid out;

    asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e\n\tcpuid"
                 : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
                 : "a"(leaf), "c"(subleaf));
    return out;
}

static inline bool cpuid_has_fsgsbase(void)
{
    return cpuid(7, 0).ebx & 1;
}

static inline bool cpuid_has_rdrand(void)
{
    return cpuid(1, 0).ecx >> 30 & 1;
}
