/* SPDX-License-Identifier: MIT
 *
 * The CPU's own randomness.
 */
#include "arch/cpu.h"
#include "arm/arm64/regs.h"
#include "arm/random.h"

const char *arch_guest_type = "pvh"; /* what xl calls every domain on ARM */

#define RNDR_TRIES 10

static bool rndr(uint64_t *value)
{
    bool ok;

    asm volatile("mrs %0, s3_3_c2_c4_0" : "=r"(*value), "=@ccne"(ok)::"memory"); /* RNDR */
    return ok;
}

bool cpu_random_is_strong(void)
{
    return READ_SYSREG(id_aa64isar0_el1) >> 60 != 0;
}

uint64_t cpu_random(void)
{
    uint64_t value;

    for (unsigned int tries = 0; cpu_random_is_strong() && tries < RNDR_TRIES; tries++)
        if (rndr(&value))
            return value;
    return arm_random_from_counter();
}
