/* SPDX-License-Identifier: MIT
 *
 * The middle of an upcall, alike for all guest types: serve the events, let a better thread run,
 * leave every register as it was.  For .S files.
 */
#pragma once
#include "arch/asm.h"

/* clang-format off */
/* In: on the stack rcx, r11, rip, cs, rflags, rsp, ss of what was interrupted, lowest first; upcalls masked. Out: rcx
 * and r11 gone from it.  `served`: an instruction to execute behind events_upcall().  Registers that C may change are
 * kept here; the others by context_switch() if the thread is switched away from. */
	.macro	upcall_serve served
	push	%rax
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	9*8(%rsp)			/* a frame for backtraces: the interrupted rip ... */
	push	%rbp				/* ... above the interrupted frame */
	mov	%rsp, %rbp
	push	%rbx
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	events_upcall
	\served

	cmpb	$0, %gs:PERCPU_NEED_RESCHED
	je	1f
	cmpl	$0, %gs:PERCPU_PREEMPT_COUNT
	jne	1f
	/* Preempted anywhere, so all of the FPU's state is live; C in the kernel does not touch it. */
	sub	$512, %rsp
	fxsave64 (%rsp)
	call	sched_preempt
	fxrstor64 (%rsp)
1:
	mov	%rbx, %rsp
	pop	%rbx
	pop	%rbp
	add	$8, %rsp
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rax
	pop	%rcx
	pop	%r11
	.endm
