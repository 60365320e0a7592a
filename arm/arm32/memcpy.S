/* SPDX-License-Identifier: MIT
 *
 * void *memcpy(void *to, const void *from, size_t len): newlib's, built for CPUs that may have no NEON, moves a word
 * by two instructions unless both sides are aligned alike, which a packet's data hardly ever is; this one moves
 * 64 bytes by six.  Memory must be cached: neither side need be aligned.
 */
#include "arch/asm.h"

	.macro	words count
	.rept	\count
	ldr	r3, [r1], #4
	str	r3, [ip], #4
	.endr
	.endm

FUNC(memcpy)
	mov	ip, r0				/* r0 is returned */
	subs	r2, r2, #64
	blo	4f
	ldr	r3, =arm_has_neon
	ldrb	r3, [r3]
	cmp	r3, #0
	beq	3f

1:	vld1.8	{d0-d3}, [r1]!
	subs	r2, r2, #64
	vld1.8	{d4-d7}, [r1]!
	vst1.8	{d0-d3}, [ip]!
	vst1.8	{d4-d7}, [ip]!
	bhs	1b
	adds	r2, r2, #64			/* what is left: the last 64 bytes, some of them again */
	bxeq	lr
	sub	r3, r2, #64
	add	r1, r1, r3
	add	ip, ip, r3
	mov	r2, #0
	b	1b

3:	words	16				/* no NEON */
	subs	r2, r2, #64
	bhs	3b

4:	lsls	r3, r2, #27			/* less than 64: by the bits of the length; C: 32, N: 16 */
	bcc	5f
	words	8
	lsls	r3, r2, #27
5:	bpl	6f
	words	4
6:	lsls	r3, r2, #29			/* C: 8, N: 4 */
	bcc	7f
	words	2
	lsls	r3, r2, #29
7:	ldrmi	r3, [r1], #4
	strmi	r3, [ip], #4
	lsls	r2, r2, #31			/* C: 2, not Z: 1 */
	ldrhcs	r3, [r1], #2
	strhcs	r3, [ip], #2
	ldrbne	r3, [r1]
	strbne	r3, [ip]
	bx	lr
	.ltorg
END_FUNC(memcpy)
