/* SPDX-License-Identifier: MIT
 *
 * HYP mode: the beginning, the trap that a hypercall is, and the way into the domain.
 */
	.syntax unified
	.arm
	.arch_extension virt
	.arch_extension sec

	.section .text.start, "ax", %progbits
	.globl	_start
_start:
	ldr	sp, =stack_top
	ldr	r0, =vectors
	mcr	p15, 4, r0, c12, c0, 0		/* HVBAR */
	mov	r0, #0
	mcr	p15, 4, r0, c1, c1, 0		/* HCR: nothing is trapped, no second stage */
	mcr	p15, 4, r0, c1, c1, 2		/* HCPTR: nor the FPU */
	mcrr	p15, 4, r0, r0, c14		/* CNTVOFF */
	mov	r0, #3
	mcr	p15, 4, r0, c14, c1, 0		/* CNTHCTL: the counter is the domain's */
	mrc	p15, 0, r0, c0, c0, 0
	mcr	p15, 4, r0, c0, c0, 0		/* VPIDR */
	mrc	p15, 0, r0, c0, c0, 5
	mcr	p15, 4, r0, c0, c0, 5		/* VMPIDR */
	ldr	r0, =0x00c50078
	mcr	p15, 0, r0, c1, c0, 0		/* the domain's SCTLR, as Xen sets it */
	bl	fake_xen_start

	.balign	32
vectors:
	b	.
	b	.
	b	.
	b	.
	b	.
	b	trap
	b	.
	b	.

trap:
	push	{r0-r12}
	push	{r0, lr}
	add	r0, sp, #8
	mrc	p15, 4, r1, c5, c2, 0		/* HSR */
	bl	fake_xen_call
	pop	{r0, lr}
	pop	{r0-r12}
	eret

	.globl	enter
enter:
	mov	r2, r1
	mov	r1, #0x1d3			/* SVC, all masked */
	msr	spsr_fsxc, r1
	msr	elr_hyp, r0
	mov	r0, #0
	mvn	r1, #0
	dsb
	isb
	eret

	.globl	stop
stop:
	wfi					/* nobody here can: the test stops the machine */
	b	stop
	.ltorg

	.section .rodata
	.balign	8
	.globl	image, image_end, device_tree, device_tree_end
image:
	.incbin	IMAGE
image_end:
	.balign	8
device_tree:
	.incbin	DEVICE_TREE_BLOB
device_tree_end:

	.bss
	.balign	8
	.skip	8192
stack_top:
	.section .note.GNU-stack, "", %progbits
