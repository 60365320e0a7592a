/* SPDX-License-Identifier: MIT
 *
 * void *memset(void *to, int byte, size_t len): newlib's takes 2,000 instructions for a page, this 400, and a boot
 * clears twenty pages.  Words only where they are aligned: memory may still be uncached.
 */
#include "arch/asm.h"

FUNC(memset)
	mov	ip, r0				/* r0 is returned */
	and	r1, r1, #0xff
	orr	r1, r1, r1, lsl #8
	orr	r1, r1, r1, lsl #16
1:	cmp	r2, #0				/* to a word's beginning */
	bxeq	lr
	tst	ip, #3
	beq	2f
	strb	r1, [ip], #1
	sub	r2, r2, #1
	b	1b

2:	subs	r2, r2, #32
	blo	4f
	push	{r4-r8, lr}
	mov	r3, r1
	mov	r4, r1
	mov	r5, r1
	mov	r6, r1
	mov	r7, r1
	mov	r8, r1
	mov	lr, r1
3:	stm	ip!, {r1, r3-r8, lr}
	subs	r2, r2, #32
	bhs	3b
	pop	{r4-r8, lr}

4:	add	r2, r2, #32			/* what is left, less than 32 */
5:	subs	r2, r2, #4
	strhs	r1, [ip], #4
	bhs	5b
	add	r2, r2, #4
6:	subs	r2, r2, #1
	strbhs	r1, [ip], #1
	bhs	6b
	bx	lr
END_FUNC(memset)
