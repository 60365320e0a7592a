/* SPDX-License-Identifier: MIT
 *
 * The CPU's own randomness.
 */
#include "arch/cpu.h"
#include "arm/arm64/regs.h"
#include "lib/atomic.h"

const char *arch_guest_type = "pvh"; /* what xl calls every domain on ARM */

#define RNDR_TRIES 10

static bool rndr(uint64_t *value)
{
    bool ok;

    asm volatile("mrs %0, s3_3_c2_c4_0" : "=r"(*value), "=@ccne"(ok)::"memory"); /* RNDR */
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
    return READ_SYSREG(id_aa64isar0_el1) >> 60 != 0;
}

uint64_t cpu_random(void)
{
    static uint64_t counter;
    uint64_t value;

    for (unsigned int tries = 0; cpu_random_is_strong() && tries < RNDR_TRIES; tries++)
        if (rndr(&value))
            return value;
    return stir(cpu_ticks() + atomic_fetch_add(&counter, 0x9e3779b97f4a7c15));
}
