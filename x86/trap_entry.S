/* SPDX-License-Identifier: MIT
 *
 * Exceptions: one stub for each vector puts the frame in the shape of struct trap_frame.  None is expected, so
 * nothing goes back.  A PV guest finds rcx and r11 below the frame that the CPU makes, so it enters at a stub's
 * start (x86/pv/traps.c), hardware behind the two pops (x86/hvm/cpu.c).
 */
#include "arch/asm.h"

	.macro	trap_stub vector, pushes_error
	.balign	16
	pop	%rcx
	pop	%r11				/* TRAP_STUB_POPS bytes so far */
	.ifeq	\pushes_error
	push	$0
	.endif
	push	$\vector
	jmp	trap_common
	.endm

FUNC(trap_stubs)				/* TRAP_STUB_SIZE bytes each: x86/trap.h */
	.irp	vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, \
			22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	trap_stub \vector, ((1 << 8 | 31 << 10 | 1 << 17 | 1 << 21) >> \vector & 1)
	.endr
END_FUNC(trap_stubs)

FUNC(trap_common)
	cld
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	movb	$1, %gs:PERCPU_UPCALL_MASK
	movq	$0, %fs:0x70			/* any stack will do: x86/context.c, stack_limit */
	mov	%rsp, %rdi
	and	$-16, %rsp
	call	trap_handle
	ud2
END_FUNC(trap_common)
