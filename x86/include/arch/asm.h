/* SPDX-License-Identifier: MIT
 *
 * What the .S files share.  Offsets into C structures come from arch/asm-offsets.h, which the build
 * generates from x86/asm-offsets.c.
 */
#pragma once
#include "asm-offsets.h"

/* clang-format off */
/* A function of its own section, so that the linker can drop it when nobody calls it. */
#define FUNC(name)                                                                                 \
	.section .text.name, "ax", @progbits;                                                      \
	.globl name;                                                                               \
	.type name, @function;                                                                     \
	.balign 16;                                                                                \
	name:
#define END_FUNC(name) .size name, . - name
/* clang-format on */

/* Selectors every PV guest has without a GDT of its own (Xen public/arch-x86/xen-x86_64.h). */
#define FLAT_RING3_CS64 0xe033
