/* SPDX-License-Identifier: MIT
 *
 * Network cards that a device model emulates: here are none.
 */
#pragma once
#include <stdbool.h>

static inline void cards_choose(bool wants_emulated)
{
    (void)wants_emulated;
}
