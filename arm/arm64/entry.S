/* SPDX-License-Identifier: MIT
 *
 * Where the CPU goes by itself: interrupts and exceptions.  Threads run on SP_EL0.  An interrupt goes on on the
 * stack of whom it interrupted, so that it can be switched away from; an exception has SP_EL1, a stack of its
 * vCPU, so that one that says a stack has run over finds room.
 * Follows the Arm Architecture Reference Manual (DDI 0487), D1.
 */
#include "arch/asm.h"

/* x0 to x18, then a frame for backtraces (x29 and the interrupted address), then the rest */
#define FRAME_FP   (20 * 8)
#define FRAME_PC   (FRAME_FP + 8)
#define FRAME_LR   (FRAME_PC + 8)
#define FRAME_PSR  (FRAME_LR + 8)
#define FRAME_FPSR (FRAME_PSR + 8)
#define FRAME_FPCR (FRAME_FPSR + 8)
#define FRAME_Q    (FRAME_FPCR + 16)
#define FRAME_SIZE (FRAME_Q + 32 * 16)

	.macro	vector target
	.balign	128
	b	\target
	.endm

	.section .text.arm_vectors, "ax", %progbits
	.balign	2048
	.globl	arm_vectors
arm_vectors:
	/* from EL1 on SP_EL0: threads */
	vector	exception
	vector	interrupt
	vector	exception
	vector	exception
	/* from EL1 on SP_EL1: an exception's report */
	vector	exception
	vector	exception
	vector	exception
	vector	exception
	/* from EL0: nobody is there */
	.rept	8
	vector	exception
	.endr

/* The C code is not compiled to use the FPU's registers, but newlib's memcpy() and its like do, and it may be
 * another thread that goes on: all of them are kept. */
FUNC(interrupt)
	msr	spsel, #0
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	str	x18, [sp, #144]
	mrs	x0, elr_el1
	mrs	x1, spsr_el1
	mrs	x2, fpsr
	mrs	x3, fpcr
	stp	x29, x0, [sp, #FRAME_FP]
	stp	x30, x1, [sp, #FRAME_LR]
	stp	x2, x3, [sp, #FRAME_FPSR]
	add	x29, sp, #FRAME_FP
	add	x0, sp, #FRAME_Q
	stp	q0, q1, [x0, #0]
	stp	q2, q3, [x0, #32]
	stp	q4, q5, [x0, #64]
	stp	q6, q7, [x0, #96]
	stp	q8, q9, [x0, #128]
	stp	q10, q11, [x0, #160]
	stp	q12, q13, [x0, #192]
	stp	q14, q15, [x0, #224]
	stp	q16, q17, [x0, #256]
	stp	q18, q19, [x0, #288]
	stp	q20, q21, [x0, #320]
	stp	q22, q23, [x0, #352]
	stp	q24, q25, [x0, #384]
	stp	q26, q27, [x0, #416]
	stp	q28, q29, [x0, #448]
	stp	q30, q31, [x0, #480]
	bl	arm_interrupt
	mrs	x0, tpidr_el1
	ldrb	w1, [x0, #PERCPU_NEED_RESCHED]
	cbz	w1, 1f
	ldr	w1, [x0, #PERCPU_PREEMPT_COUNT]
	cbnz	w1, 1f
	bl	sched_preempt
1:
	add	x0, sp, #FRAME_Q
	ldp	q0, q1, [x0, #0]
	ldp	q2, q3, [x0, #32]
	ldp	q4, q5, [x0, #64]
	ldp	q6, q7, [x0, #96]
	ldp	q8, q9, [x0, #128]
	ldp	q10, q11, [x0, #160]
	ldp	q12, q13, [x0, #192]
	ldp	q14, q15, [x0, #224]
	ldp	q16, q17, [x0, #256]
	ldp	q18, q19, [x0, #288]
	ldp	q20, q21, [x0, #320]
	ldp	q22, q23, [x0, #352]
	ldp	q24, q25, [x0, #384]
	ldp	q26, q27, [x0, #416]
	ldp	q28, q29, [x0, #448]
	ldp	q30, q31, [x0, #480]
	ldp	x2, x3, [sp, #FRAME_FPSR]
	ldp	x30, x1, [sp, #FRAME_LR]
	ldp	x29, x0, [sp, #FRAME_FP]
	msr	elr_el1, x0
	msr	spsr_el1, x1
	msr	fpsr, x2
	msr	fpcr, x3
	ldr	x18, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp]
	add	sp, sp, #FRAME_SIZE
	eret
END_FUNC(interrupt)
	.globl	interrupt_end
interrupt_end:

/* struct trap_frame, arch/trap.h */
FUNC(exception)
	sub	sp, sp, #TRAP_FRAME_SIZE
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x0, sp_el0
	stp	x30, x0, [sp, #TRAP_LR]
	mrs	x0, elr_el1
	mrs	x1, spsr_el1
	stp	x0, x1, [sp, #TRAP_PC]
	mrs	x0, esr_el1
	mrs	x1, far_el1
	stp	x0, x1, [sp, #TRAP_SYNDROME]
	mov	x0, sp
	mov	x29, #0
	bl	trap_handle
END_FUNC(exception)

/* On each vCPU. */
FUNC(arm_exceptions_on)
	adrp	x1, arm_vectors
	add	x1, x1, :lo12:arm_vectors
	msr	vbar_el1, x1
	isb
	/* No page is EL0's, so there is nothing that PAN could forbid, nor UAO (of which nobody here makes use);
	 * where the CPU has it, it is on all the same: should a page ever be, it cannot be touched by mistake. */
	mrs	x1, id_aa64mmfr1_el1
	ubfx	x1, x1, #20, #4
	cbz	x1, 1f
	.inst	0xd500419f			/* msr pan, #1 */
1:
	msr	daifclr, #4			/* SError: asynchronous faults are reported too */
	ret
END_FUNC(arm_exceptions_on)
