/* SPDX-License-Identifier: MIT
 *
 * PV: vCPU 0, ring 3, long mode, upcalls masked, %rsi = struct start_info (virtual), a stack of one page.
 * Xen docs and tools/libs/guest/xg_dom_x86.c.  Goes on to boot/pv.c on boot_stack.
 */
#include "arch/asm.h"

FUNC(pv_entry)
	cld
	mov	$boot_stack_top, %esp		/* the image lies below 4 GiB */
	xor	%ebp, %ebp			/* ends every backtrace */
	mov	%rsi, %rdi
	push	%rbp				/* as a call would: aligned, and no caller */
	jmp	pv_start
END_FUNC(pv_entry)
