/* SPDX-License-Identifier: MIT
 *
 * ARMv8: the header of an Image (Linux Documentation/arch/arm64/booting.rst), then vCPU 0 in EL1 with MMU and
 * caches off, interrupts masked, x0 = the device tree's physical address.  Goes on to boot/arm.c where the image
 * is linked.
 *
 * Until the MMU is on all memory is Device memory: no unaligned access.
 */
#include "arch/asm.h"
#include "arm/descriptor.h"

#define PAGE 4096

#define SCTLR_RES1 0x30d00800
#define SCTLR_ON   (SCTLR_RES1 | 1 << 0 | 1 << 2 | 1 << 3 | 1 << 12 | 1 << 19) /* MMU, D, stack alignment, I, WXN */
/* 48 bits below (T0SZ), nothing above (EPD1); tables are write-back and inner shareable, as all memory is. */
#define TCR_VALUE  (16 | 1 << 8 | 1 << 10 | 3 << 12 | 16 << 16 | 1 << 23 | 2 << 30)

	/* The linker script asks for it: levels 0, 1 and 2. */
	.globl	arm_upper_tables
arm_upper_tables = 3

	.section .head, "ax", %progbits
	b	arm_entry
	.long	0
	.quad	0				/* loaded where RAM begins */
	.quad	__image_size
	.quad	0xa				/* little-endian, 4 KiB pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

	.globl	arm_entry
arm_entry:
	mov	x20, x0
	bl	describe_image
	bl	mmu_on				/* returns to the virtual address of what follows */
	adrp	x1, __bss_start
	add	x1, x1, :lo12:__bss_start
	adrp	x2, __bss_end
	add	x2, x2, :lo12:__bss_end
1:	stp	xzr, xzr, [x1], #16
	cmp	x1, x2
	b.lo	1b
	bl	arm_exceptions_on
	adrp	x1, boot_exception_stack_top
	add	x1, x1, :lo12:boot_exception_stack_top
	mov	sp, x1
	msr	spsel, #0			/* threads and we run on SP_EL0; SP_EL1 is for exceptions */
	adrp	x1, boot_stack_top
	add	x1, x1, :lo12:boot_stack_top
	mov	sp, x1
	mov	x29, #0				/* ends every backtrace */
	mov	x30, #0
	mov	x0, x20				/* the device tree */
	mov	x1, x23				/* virtual - physical */
	b	arm_start

	/* A synchronous exception at EL1 on SP_EL1 comes here, 0x200 bytes behind VBAR. */
	.org	0x200
mmu_is_on:
	add	x30, x30, x23
	ret

/* A further vCPU, by PSCI, in the same state; x0 = its struct cpu_start (virtual). */
	.globl	arm_cpu_entry
arm_cpu_entry:
	mov	x20, x0
	adrp	x21, __image_start
	ldr	x22, =__image_start
	sub	x23, x22, x21
	bl	mmu_on
	bl	arm_exceptions_on
	ldp	x0, x1, [x20, #CPU_START_CPU]	/* and entry */
	ldp	x2, x3, [x20, #CPU_START_SP]	/* and tls */
	ldr	x4, [x20, #CPU_START_EXCEPTION_SP]
	mov	sp, x4
	msr	spsel, #0
	mov	sp, x2
	msr	tpidr_el1, x0
	msr	tpidr_el0, x3
	mov	x29, #0
	mov	x30, #0
	br	x1

/* Write the first translation tables.  x21: the image's physical address, x23: virtual - physical. */
describe_image:
	mov	x19, x30
	adrp	x21, __image_start
	ldr	x22, =__image_start
	sub	x23, x22, x21
	/* What caches hold of the tables' memory is gone before we write it past them, and once more after
	 * that, because lines may have been fetched meanwhile. */
	bl	forget_tables
	adrp	x0, arm_tables
	adrp	x1, arm_tables_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b

	/* Level 0 to 1 to 2, and each table of level 3, which follow. */
	adrp	x0, arm_tables
	add	x1, x0, #PAGE
	orr	x2, x1, #DESC_VALID | DESC_TABLE
	str	x2, [x0]
	add	x2, x1, #PAGE
	orr	x3, x2, #DESC_VALID | DESC_TABLE
	str	x3, [x1]
	add	x3, x2, #PAGE			/* the first of level 3 */
	adrp	x4, arm_tables_spare
	add	x5, x2, #8			/* the image begins at 2 MiB */
2:	orr	x6, x3, #DESC_VALID | DESC_TABLE
	str	x6, [x5], #8
	add	x3, x3, #PAGE
	cmp	x3, x4
	b.lo	2b
	lsr	x4, x21, #30
	cbz	x4, stop			/* where the image is to be: mmu_on would not work */

	/* Text, constants, variables. */
	add	x0, x2, #PAGE
	mov	x1, x21
	mov	x2, #DESC_PAGE_RX
	adrp	x3, __text_end_page
	bl	map
	mov	x2, #3
	lsl	x2, x2, #DESC_NO_EXECUTE_BITS
	orr	x2, x2, #DESC_VALID
	mov	x4, #DESC_PAGE_RX
	orr	x2, x2, x4
	adrp	x3, __rodata_end
	bl	map
	bic	x2, x2, #DESC_READ_ONLY
	adrp	x3, __image_end
	bl	map
	dsb	sy
	bl	forget_tables
	ret	x19

/* Entries from x0 on for the pages [x1, x3) with the rights x2; x0 and x1 move on. */
map:
	cmp	x1, x3
	b.hs	1f
	orr	x4, x1, x2
	str	x4, [x0], #8
	add	x1, x1, #PAGE
	b	map
1:	ret

forget_tables:
	mrs	x0, ctr_el0
	ubfx	x0, x0, #16, #4			/* DminLine: log2 of words */
	mov	x1, #4
	lsl	x1, x1, x0
	adrp	x2, arm_tables
	adrp	x3, arm_tables_end
1:	dc	civac, x2
	add	x2, x2, x1
	cmp	x2, x3
	b.lo	1b
	dsb	sy
	ret

/* x23: virtual - physical; returns to x30 in virtual addresses.  Nothing is ever mapped and executable where it
 * physically is: the fetch behind the instruction that switches the MMU on fails, and the exception that this
 * makes goes on where the image is linked. */
mmu_on:
	msr	spsel, #1
	msr	vbar_el1, x22			/* so it comes to mmu_is_on */
	adrp	x0, arm_tables
	msr	ttbr0_el1, x0
	mov	x0, #MAIR_VALUE
	msr	mair_el1, x0
	ldr	x0, =TCR_VALUE
	mrs	x1, id_aa64mmfr0_el1
	and	x1, x1, #7			/* PARange, as many as there are for the 48 bits we use */
	mov	x2, #5
	cmp	x1, x2
	csel	x1, x1, x2, lo
	bfi	x0, x1, #32, #3			/* IPS */
	msr	tcr_el1, x0
	mov	x0, #3 << 20			/* FPU and SIMD are ours */
	msr	cpacr_el1, x0
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb
	ldr	x0, =SCTLR_ON
	msr	sctlr_el1, x0
	isb
stop:	wfe
	b	stop
	.ltorg
