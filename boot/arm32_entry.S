/* SPDX-License-Identifier: MIT
 *
 * ARMv7: the header of a zImage (Linux Documentation/arch/arm/booting.rst), which is not compressed, then vCPU 0 in
 * SVC mode with MMU and caches off, interrupts masked, r2 = the device tree's physical address.  It goes, in this
 * order: where are we, translation tables, caches, branch prediction and MMU, exception vectors, stacks, and on in
 * boot/arm.c.
 *
 * The tables are those of the large physical address extension, because each CPU that Xen runs on has them, and
 * because of what they can say: 4 KiB pages with their own rights (a section of the short format could be made of
 * them too), no-execute for the kernel alone, memory types by index; and they are ARMv8's, so arm/mmu.c is one for
 * both.  The first table has 4 entries of a GiB each.
 *
 * Until the MMU is on all memory is Strongly-ordered: no unaligned access.
 */
#include "arch/asm.h"
#include "arm/descriptor.h"

#define PAGE 4096

#define SCTLR_ON   (1 << 0 | 1 << 2 | 1 << 11 | 1 << 12 | 1 << 19) /* MMU, D, branch prediction, I, WXN */
#define SCTLR_BARS (1 << 1 | 1 << 13 | 1 << 25 | 1 << 30)  /* strict alignment, high vectors, big-endian, Thumb */
/* Large format (EAE); all addresses by TTBR0 (T0SZ 0, EPD1); tables are write-back and inner shareable, as all
 * memory is. */
#define TTBCR_VALUE (1 << 31 | 1 << 23 | 3 << 12 | 1 << 10 | 1 << 8)
#define CPACR_FPU   (0xf << 20)
#define FPEXC_ON    (1 << 30)
#define NO_EXECUTE  (3 << (DESC_NO_EXECUTE_BITS - 32)) /* in an entry's upper word */

/* The first tables: ours, and behind it the one to switch by, which besides maps the GiB that we are in. */
#define SWITCH_TABLE 32

	/* The linker script asks for it: the first table, and the second one of the image's GiB. */
	.globl	arm_upper_tables
arm_upper_tables = 2

	.section .head, "ax", %progbits
	.rept	8
	nop
	.endr
	b	arm_entry
	.word	0x016f2818
	.word	0			/* runs where it is loaded: by Xen 32 KiB behind where RAM begins */
	.word	__file_size

	/* The physical address of what is linked at a symbol; r9: virtual - physical. */
	.macro	physical reg, symbol
	ldr	\reg, =\symbol
	sub	\reg, \reg, r9
	.endm

	.globl	arm_entry
arm_entry:
	mov	r10, r2
	/* Where are we? A word that knows where it is linked says how far that is from where it lies: a constant
	 * for the whole image, and nothing else about addresses is assumed. */
	adr	r0, 1f
	ldr	r9, [r0]
	sub	r9, r9, r0
	bl	describe_image
	bl	mmu_on				/* returns to the virtual address of what follows */
	ldr	r0, =__bss_start
	ldr	r1, =__bss_end
	mov	r2, #0
	mov	r3, #0
2:	stmia	r0!, {r2, r3}
	cmp	r0, r1
	blo	2b
	/* Exception vectors: where the CPU goes by itself, and the stack it finds there. */
	ldr	r0, =boot_exception_stack_top
	bl	arm_exceptions_on
	/* The FPU has 16 registers or 32 (MVFR0), and NEON's loads and stores or none (MVFR1). */
	vmrs	r0, mvfr0
	and	r0, r0, #0xf
	cmp	r0, #2
	ldreq	r1, =arm_fpu_is_large
	strbeq	r0, [r1]
	vmrs	r0, mvfr1
	ubfx	r0, r0, #8, #4
	ldr	r1, =arm_has_neon
	strb	r0, [r1]
	/* The stack; below it is a page that arm_start() makes a guard. Then C. */
	ldr	sp, =boot_stack_top
	mov	fp, #0				/* ends every backtrace */
	mov	lr, #0
	mov	r0, r10				/* the device tree, 64 bits */
	mov	r1, #0
	mov	r2, r9				/* virtual - physical */
	b	arm_start
1:	.word	.
	.ltorg

/* A further vCPU, by PSCI, in the same state; r0 = its struct cpu_start (virtual). */
	.globl	arm_cpu_entry
arm_cpu_entry:
	mov	r10, r0
	adr	r0, 1b
	ldr	r9, [r0]
	sub	r9, r9, r0
	bl	mmu_on
	ldr	r0, [r10, #CPU_START_EXCEPTION_SP]
	bl	arm_exceptions_on
	ldr	r0, [r10, #CPU_START_CPU]
	mcr	p15, 0, r0, c13, c0, 4		/* TPIDRPRW */
	ldr	r0, [r10, #CPU_START_TLS]
	mcr	p15, 0, r0, c13, c0, 3		/* TPIDRURO */
	ldr	sp, [r10, #CPU_START_SP]
	mov	fp, #0
	mov	lr, #0
	ldr	pc, [r10, #CPU_START_ENTRY]

/* Write the first translation tables, past the caches. */
describe_image:
	mov	r11, lr
	/* What caches hold of the tables' memory is gone before, and once more after that, because lines may have
	 * been fetched meanwhile. */
	bl	forget_tables
	physical r0, arm_tables
	physical r1, arm_tables_end
	mov	r2, #0
	mov	r3, #0
1:	stmia	r0!, {r2, r3}
	cmp	r0, r1
	blo	1b

	/* First to second: the GiB of the image, in both first tables. */
	physical r0, arm_tables
	add	r1, r0, #PAGE			/* the second, followed by those of the last level */
	orr	r2, r1, #DESC_VALID | DESC_TABLE
	strd	r2, r3, [r0]
	strd	r2, r3, [r0, #SWITCH_TABLE]
	/* For the moment of switching: the physical GiB that we are in is mapped where it is. */
	adr	r4, describe_image
	lsrs	r4, r4, #30
	beq	stop				/* that is where the image is to be */
	ldr	r2, =DESC_BLOCK_RX
	orr	r2, r2, r4, lsl #30
	add	r4, r0, r4, lsl #3
	strd	r2, r3, [r4, #SWITCH_TABLE]
	/* Second to last. */
	add	r4, r1, #8			/* the image begins at 2 MiB */
	add	r0, r1, #PAGE
	physical r5, arm_tables_spare
	mov	r6, r0
2:	orr	r2, r6, #DESC_VALID | DESC_TABLE
	strd	r2, r3, [r4], #8
	add	r6, r6, #PAGE
	cmp	r6, r5
	blo	2b

	/* Text, constants, variables. */
	physical r1, __image_start
	ldr	r4, =DESC_PAGE_RX
	physical r5, __text_end_page
	bl	map
	ldr	r3, =NO_EXECUTE
	physical r5, __rodata_end
	bl	map
	ldr	r4, =DESC_PAGE_RW
	physical r5, __image_end
	bl	map
	dsb
	bl	forget_tables
	bx	r11

/* Entries from r0 on for the pages [r1, r5) with the rights r3:r4; r0 and r1 move on. */
map:
	cmp	r1, r5
	bxhs	lr
	orr	r2, r1, r4
	strd	r2, r3, [r0], #8
	add	r1, r1, #PAGE
	b	map

forget_tables:
	mrc	p15, 0, r0, c0, c0, 1		/* CTR */
	ubfx	r0, r0, #16, #4			/* DminLine: log2 of words */
	mov	r1, #4
	lsl	r1, r1, r0
	physical r2, arm_tables
	physical r3, arm_tables_end
1:	mcr	p15, 0, r2, c7, c14, 1		/* DCCIMVAC */
	add	r2, r2, r1
	cmp	r2, r3
	blo	1b
	dsb
	bx	lr

/* r9: virtual - physical; returns to lr in virtual addresses. */
mmu_on:
	ldr	r0, =MAIR_VALUE
	mcr	p15, 0, r0, c10, c2, 0		/* MAIR0 */
	ldr	r0, =TTBCR_VALUE
	mcr	p15, 0, r0, c2, c0, 2		/* TTBCR */
	physical r2, arm_tables
	add	r0, r2, #SWITCH_TABLE
	mov	r3, #0
	mcrr	p15, 0, r0, r3, c2		/* TTBR0 */
	/* The FPU is ours (CPACR), and on. */
	mrc	p15, 0, r0, c1, c0, 2
	orr	r0, r0, #CPACR_FPU
	mcr	p15, 0, r0, c1, c0, 2
	/* Nothing that translations, instruction cache and branch predictor know is of our making. */
	mcr	p15, 0, r3, c8, c7, 0		/* TLBIALL */
	mcr	p15, 0, r3, c7, c5, 0		/* ICIALLU */
	mcr	p15, 0, r3, c7, c5, 6		/* BPIALL */
	dsb
	isb
	mov	r0, #FPEXC_ON
	vmsr	fpexc, r0
	/* MMU, caches and branch prediction, all at once: data that is cached must be shareable (a property of
	 * mapped memory), and what is predicted must be mapped. */
	ldr	r0, =SCTLR_ON
	ldr	r1, =SCTLR_BARS
	mrc	p15, 0, r4, c1, c0, 0
	orr	r4, r4, r0
	bic	r4, r4, r1
	mcr	p15, 0, r4, c1, c0, 0		/* SCTLR */
	isb
	/* Still where we are physically; from here on where the image is linked, and nowhere else. */
	ldr	pc, =1f
1:	mcrr	p15, 0, r2, r3, c2		/* TTBR0 */
	isb
	mcr	p15, 0, r3, c8, c7, 0		/* TLBIALL */
	mcr	p15, 0, r3, c7, c5, 6		/* BPIALL */
	dsb
	isb
	add	lr, lr, r9
	bx	lr

stop:	wfe
	b	stop
	.ltorg
