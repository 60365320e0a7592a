/* SPDX-License-Identifier: MIT
 *
 * Where Xen enters a PV guest after boot: the event callback; and the exceptions, which go on in
 * x86/trap_entry.S.  Xen pushes the frame on the running stack, aligned down to 16, lowest address first:
 *
 *     rcx, r11, [error code], rip, cs, rflags, rsp, ss
 *
 * cs holds the selector with RPL cleared, and in byte 4 the event mask from before.  The direction flag
 * is as the interrupted code left it.  There is one stack per thread and no spare one.
 * Follows Xen arch/x86/x86_64/entry.S (create_bounce_frame) and public/arch-x86/xen-x86_64.h.
 */
#include "arch/asm.h"
#include "x86/upcall.h"

/* An event is due.  Xen has masked events. */
FUNC(pv_event_callback)
	cld
	/* Did the event hit the few instructions at the end of this very function, where events are on again
	 * and all registers are restored? Then take over the frame that iretq was about to use instead of
	 * stacking one more: a storm must not eat the stack. */
	cmpq	$exit_unmasked, 16(%rsp)
	jb	serve
	cmpq	$exit_unmasked_end, 16(%rsp)
	jae	serve
	pop	%rcx
	pop	%r11
	mov	24(%rsp), %rsp			/* the interrupted rsp: points at the older frame's rip */
	push	%r11
	push	%rcx
serve:
	upcall_serve
	movq	$FLAT_RING3_CS64, 8(%rsp)
exit_unmasked:
	movb	$0, %gs:PERCPU_UPCALL_MASK
	cmpb	$0, %gs:PERCPU_UPCALL_PENDING
	jne	again
	iretq
exit_unmasked_end:
again:	/* Something came while we were masked, and nobody will call again. */
	movb	$1, %gs:PERCPU_UPCALL_MASK
	push	%r11
	push	%rcx
	jmp	serve
END_FUNC(pv_event_callback)
	.globl	pv_event_callback_end
pv_event_callback_end:

/* Xen could not load a segment on the way back to us: nothing here uses one, so this is the end. Frame:
 * rcx, r11, ds, es, fs, gs, rip, ... */
FUNC(pv_failsafe_callback)
	add	$48, %rsp
	push	$0
	push	$13
	jmp	trap_common
END_FUNC(pv_failsafe_callback)
