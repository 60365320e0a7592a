/* SPDX-License-Identifier: MIT
 *
 * The clock's beginning; the rest is arch/clock.h.
 */
#pragma once
#include "lib/types.h"

/* Boot. 0: what the CPU says. */
void clock_init(uint32_t frequency_hz);
