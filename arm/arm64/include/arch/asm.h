/* SPDX-License-Identifier: MIT
 *
 * What the .S files share.  Offsets into C structures come from asm-offsets.h, which the build
 * generates from arm/asm-offsets.c.
 */
#pragma once
#include "asm-offsets.h"

/* clang-format off */
/* A function of its own section, so that the linker can drop it when nobody calls it. */
#define FUNC(name)                                                                                 \
	.section .text.name, "ax", %progbits;                                                      \
	.globl name;                                                                               \
	.type name, %function;                                                                     \
	.balign 4;                                                                                 \
	name:
#define END_FUNC(name) .size name, . - name
/* clang-format on */
