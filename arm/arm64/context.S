/* SPDX-License-Identifier: MIT
 *
 * The switch between two threads.  Keeps what the ABI (AAPCS64) says a call keeps: x19 to x29, d8 to d15, and
 * the FPU's control word.  The rest of the FPU's state is the interrupt's to keep.
 */
#include "arch/asm.h"
#include "arch/psci.h"

/* void context_switch(struct context *from, const struct context *to): stack pointer, thread register */
FUNC(context_switch)
	stp	x29, x30, [sp, #-CONTEXT_FRAME_SIZE]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mrs	x3, fpcr
	str	x3, [sp, #160]
	mov	x2, sp
	str	x2, [x0]
	ldp	x2, x3, [x1]
	mov	sp, x2
	msr	tpidr_el0, x3
	ldr	x3, [sp, #160]
	msr	fpcr, x3
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #CONTEXT_FRAME_SIZE
	ret
END_FUNC(context_switch)

/* A thread's beginning, where a backtrace ends. */
FUNC(arm_thread_entry)
	mov	x30, #0
	b	sched_thread_entry
END_FUNC(arm_thread_entry)

/* void arm_call_on_stack(void *top, void (*fn)(void *arg), void *arg) */
FUNC(arm_call_on_stack)
	mov	sp, x0
	mov	x29, #0				/* a backtrace ends here */
	mov	x30, #0
	mov	x0, x2
	br	x1
END_FUNC(arm_call_on_stack)

/* void arm_cpu_off(struct cpu_start *start): PSCI's CPU_OFF; started again, the vCPU goes on behind it. */
FUNC(arm_cpu_off)
	stp	x29, x30, [sp, #-CONTEXT_FRAME_SIZE]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mrs	x3, fpcr
	str	x3, [sp, #160]
	mov	x2, sp
	mrs	x3, tpidr_el0
	stp	x2, x3, [x0, #CPU_START_SP]
	adr	x2, 1f
	str	x2, [x0, #CPU_START_ENTRY]
	ldr	x0, =PSCI_CPU_OFF
	hvc	#0
1:
	ldr	x3, [sp, #160]
	msr	fpcr, x3
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #CONTEXT_FRAME_SIZE
	ret
	.ltorg
END_FUNC(arm_cpu_off)
