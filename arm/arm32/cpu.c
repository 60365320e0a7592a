/* SPDX-License-Identifier: MIT
 *
 * What this CPU has, and has not: ARMv7 knows no randomness.
 */
#include "arch/cpu.h"
#include "arm/random.h"

extern bool arm_fpu_is_large, arm_has_neon;

/* The FPU has 32 registers, and NEON; set by the entry, read by the interrupt's and by memcpy(). */
bool arm_fpu_is_large, arm_has_neon;
const char *arch_guest_type = "pvh"; /* what xl calls every domain on ARM */

bool cpu_random_is_strong(void)
{
    return false;
}

uint64_t cpu_random(void)
{
    return arm_random_from_counter();
}
