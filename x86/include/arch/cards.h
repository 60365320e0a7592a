/* SPDX-License-Identifier: MIT
 *
 * Network cards that an HVM domain's device model emulates.
 */
#pragma once
#include <stdbool.h>

/* In an HVM domain, before anybody uses either: the emulated cards are driven (wants_emulated, or
 * without a vif, or where they cannot be taken away), or taken away. Once, thread context. In
 * boot/cards.c. */
void cards_choose(bool wants_emulated);
