/* SPDX-License-Identifier: MIT
 *
 * Where the CPU goes by itself: interrupts and exceptions.  Threads run in SVC mode.  An interrupt goes on on the
 * stack of whom it interrupted, so that it can be switched away from; an exception has its mode's, a stack of its
 * vCPU, so that one that says a stack has run over finds room.
 * Follows the Arm Architecture Reference Manual (DDI 0406), B1.
 */
#include "arch/asm.h"

	.section .text.arm_vectors, "ax", %progbits
	.balign	32
	.globl	arm_vectors
arm_vectors:
	b	reset
	b	undefined
	b	call
	b	fetch
	b	data
	b	hyp
	/* Where it goes on, and its PSR: on the thread's stack, and at once.  When an emulator gives the CPU away before
	 * that, QEMU 7.2 loses the PSR, because it keeps the one of the current mode apart from the others. */
	srsdb	sp!, #MODE_SVC
	/* The vector of fast interrupts, of which there are none, and which are masked. */
	b	interrupt

/* lr - `ahead` is the instruction that it is about. */
	.macro	exception_of name, kind, ahead
\name:	sub	lr, lr, #\ahead
	sub	sp, sp, #TRAP_FRAME_SIZE
	stm	sp, {r0-r12}
	mov	r0, #\kind
	b	exception
	.endm

	exception_of reset, 0, 0
	exception_of call, 2, 4
	exception_of fetch, 3, 4
	exception_of data, 4, 8
	exception_of hyp, 5, 0
	exception_of undefined, 1, 4

/* struct trap_frame, arch/trap.h; r0 = its kind. */
exception:
	mrs	r1, lr_svc
	mrs	r2, sp_svc
	mov	r3, lr
	mrs	r4, spsr
	cmp	r0, #1
	bne	1f
	tst	r4, #PSR_T			/* Thumb's are 2 bytes before lr */
	addne	r3, r3, #2
1:
	add	r6, sp, #TRAP_LR
	stmia	r6!, {r1-r4}
	mrc	p15, 0, r1, c5, c0, 1		/* IFSR */
	mrc	p15, 0, r2, c6, c0, 2		/* IFAR */
	cmp	r0, #3
	mrcne	p15, 0, r1, c5, c0, 0		/* DFSR */
	mrcne	p15, 0, r2, c6, c0, 0		/* DFAR */
	stmia	r6, {r0-r2}
	mov	r0, sp
	mov	fp, #0
	bic	sp, sp, #7
	bl	trap_handle

/* The C code is not compiled to use the FPU's registers, but memcpy() does, and newlib, and it may be
 * another thread that goes on: all of them are kept. */
FUNC(interrupt)
	cps	#MODE_SVC
	push	{fp}
	ldr	fp, [sp, #4]
	sub	fp, fp, #4			/* what lr says is an instruction too far */
	str	fp, [sp, #4]
	add	fp, sp, #4			/* a frame for backtraces, as gcc's are */
	push	{r0-r3, r12, lr}
	ldr	r1, =arm_fpu_is_large
	ldrb	r1, [r1]
	vmrs	r0, fpscr
	cmp	r1, #0
	vpushne	{d16-d31}
	vpush	{d0-d15}
	and	r2, sp, #4			/* calls want a multiple of 8 */
	sub	sp, sp, r2
	push	{r0-r3}
	bl	arm_interrupt
	mrc	p15, 0, r0, c13, c0, 4
	ldrb	r1, [r0, #PERCPU_NEED_RESCHED]
	cmp	r1, #0
	beq	1f
	ldr	r1, [r0, #PERCPU_PREEMPT_COUNT]
	cmp	r1, #0
	bleq	sched_preempt
1:	pop	{r0-r3}
	add	sp, sp, r2
	cmp	r1, #0
	vpop	{d0-d15}
	vpopne	{d16-d31}
	vmsr	fpscr, r0
	pop	{r0-r3, r12, lr}
	pop	{fp}
	clrex					/* it may be another thread's store that is to come now */
	rfeia	sp!
	.ltorg
END_FUNC(interrupt)
	.globl	interrupt_end
interrupt_end:

/* On each vCPU: vectors, and r0 as the stack of exceptions in each mode that has one. */
FUNC(arm_exceptions_on)
	ldr	r1, =arm_vectors
	mcr	p15, 0, r1, c12, c0, 0		/* VBAR */
	isb
	cps	#MODE_ABT
	mov	sp, r0
	cps	#MODE_UND			/* the same: nobody goes back to what one during the other overwrites */
	mov	sp, r0
	cps	#MODE_SVC
	cpsie	a				/* asynchronous aborts are reported too */
	bx	lr
	.ltorg
END_FUNC(arm_exceptions_on)
