/* SPDX-License-Identifier: MIT
 *
 * The switch between two threads.  Keeps what the ABI (AAPCS32) says a call keeps: r4 to r11, d8 to d15, and the
 * FPU's control word.  The rest of the FPU's state is the interrupt's to keep.
 */
#include "arch/asm.h"
#include "arch/psci.h"

	/* struct context_frame; r3 is lost, and lr where it goes on: a new thread has no caller */
	.macro	save_context
	vpush	{d8-d15}
	vmrs	r3, fpscr
	push	{r3-r10, fp, lr}
	.endm

	.macro	load_context
	pop	{r3-r10, fp, ip}
	vmsr	fpscr, r3
	vpop	{d8-d15}
	mov	lr, #0
	bx	ip
	.endm

/* void context_switch(struct context *from, const struct context *to): stack pointer, thread register */
FUNC(context_switch)
	save_context
	str	sp, [r0]
	ldm	r1, {r2, r3}
	mov	sp, r2
	mcr	p15, 0, r3, c13, c0, 3		/* TPIDRURO */
	load_context
END_FUNC(context_switch)

/* A thread's beginning, where a backtrace ends. */
FUNC(arm_thread_entry)
	mov	lr, #0
	b	sched_thread_entry
END_FUNC(arm_thread_entry)

/* void arm_call_on_stack(void *top, void (*fn)(void *arg), void *arg) */
FUNC(arm_call_on_stack)
	mov	sp, r0
	mov	fp, #0				/* a backtrace ends here */
	mov	lr, #0
	mov	r0, r2
	bx	r1
END_FUNC(arm_call_on_stack)

/* void arm_cpu_off(struct cpu_start *start): PSCI's CPU_OFF; started again, the vCPU goes on behind it. */
FUNC(arm_cpu_off)
	save_context
	mrc	p15, 0, r3, c13, c0, 3
	str	sp, [r0, #CPU_START_SP]
	str	r3, [r0, #CPU_START_TLS]
	adr	r3, 1f
	str	r3, [r0, #CPU_START_ENTRY]
	ldr	r0, =PSCI_CPU_OFF
	hvc	#0
1:	load_context
	.ltorg
END_FUNC(arm_cpu_off)
