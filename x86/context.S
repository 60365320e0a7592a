/* SPDX-License-Identifier: MIT
 *
 * The switch between two threads, on every guest type.  Keeps what the ABI says a call keeps: rbx, rbp,
 * r12-r15, and the FPU's control words.  The rest of the FPU's state is the preempting upcall's to keep.
 */
#include "arch/asm.h"

/* void context_swap(struct context *from, const struct context *to): the stack pointer is first in both */
FUNC(context_swap)
	push	%rbp
	mov	%rsp, %rbp			/* so that a sleeper's stack can be walked from its saved rbp */
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	sub	$16, %rsp
	stmxcsr	(%rsp)
	fnstcw	8(%rsp)
	mov	%rsp, (%rdi)
	mov	(%rsi), %rsp
	ldmxcsr	(%rsp)
	fldcw	8(%rsp)
	add	$16, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
END_FUNC(context_swap)
