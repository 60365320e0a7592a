/* SPDX-License-Identifier: MIT
 *
 * What CPUID says, and the CPU's own randomness.
 */
#include "arch/cpu.h"
#include "lib/atomic.h"
#include "x86/cpuid.h"
#include "x86/guest.h"

/* In PV the plain instruction may show the host's values instead of the domain's; the five bytes
 * before it (ud2 "xen") make Xen answer. Xen public/arch-x86/xen.h. */
struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid out;

    if (guest == &pv_guest)
        asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e\n\tcpuid"
                     : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
                     : "a"(leaf), "c"(subleaf));
    else
        asm volatile("cpuid"
                     : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
                     : "a"(leaf), "c"(subleaf));
    return out;
}

#define RDRAND_TRIES 10 /* Intel: one failure in ten in a row means the unit is broken */

static bool rdrand(uint64_t *value)
{
    bool ok;

    asm volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
    return ok;
}

/* A bijection that spreads each bit of its input over the result (the finisher of splitmix64). */
static uint64_t stir(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

bool cpu_random_is_strong(void)
{
    static enum { UNKNOWN, ABSENT, PRESENT } have;

    if (have == UNKNOWN)
        have = cpuid_has_rdrand() ? PRESENT : ABSENT;
    return have == PRESENT;
}

uint64_t cpu_random(void)
{
    static uint64_t counter;
    uint64_t value;

    for (unsigned int tries = 0; cpu_random_is_strong() && tries < RDRAND_TRIES; tries++)
        if (rdrand(&value))
            return value;
    return stir(cpu_ticks() + atomic_fetch_add(&counter, 0x9e3779b97f4a7c15));
}
