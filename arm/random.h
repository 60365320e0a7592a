/* SPDX-License-Identifier: MIT
 *
 * What stands in for a CPU's own randomness.
 */
#pragma once
#include <stdint.h>

/* The counter, stirred; each time another. Any context. */
uint64_t arm_random_from_counter(void);
