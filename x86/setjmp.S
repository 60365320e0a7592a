/* SPDX-License-Identifier: MIT
 *
 * setjmp and longjmp for programs. They stand in for newlib's, whose longjmp(env, 0) makes setjmp return 0
 * where C says 1 (7.13.2.1), so that a program which jumps with 0 goes round for ever. The jmp_buf is
 * newlib's, eight words: rbx, rbp, r12-r15, rsp, rip; the FPU's control words stay as they are.
 */
#include "arch/asm.h"

/* int setjmp(jmp_buf env) */
FUNC(setjmp)
	mov	%rbx, (%rdi)
	mov	%rbp, 8(%rdi)
	mov	%r12, 16(%rdi)
	mov	%r13, 24(%rdi)
	mov	%r14, 32(%rdi)
	mov	%r15, 40(%rdi)
	lea	8(%rsp), %rax			/* as it is once setjmp has returned */
	mov	%rax, 48(%rdi)
	mov	(%rsp), %rax
	mov	%rax, 56(%rdi)
	xor	%eax, %eax
	ret
END_FUNC(setjmp)

/* void longjmp(jmp_buf env, int value) */
FUNC(longjmp)
	mov	%esi, %eax
	cmp	$1, %eax
	adc	$0, %eax			/* 0 becomes 1 */
	mov	(%rdi), %rbx
	mov	8(%rdi), %rbp
	mov	16(%rdi), %r12
	mov	24(%rdi), %r13
	mov	32(%rdi), %r14
	mov	40(%rdi), %r15
	mov	48(%rdi), %rsp
	jmp	*56(%rdi)
END_FUNC(longjmp)
