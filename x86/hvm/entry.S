/* SPDX-License-Identifier: MIT
 *
 * Hardware assistance gives a guest an interrupt flag and VMCALL (AMD: VMMCALL), where a PV guest has a byte
 * in vcpu_info and SYSCALL.  Here the first is made to look like the second, so that the rest of the kernel has
 * one way to mask upcalls and one to enter Xen, each an instruction or two in line:
 *
 *  - SYSCALL comes here, in the same ring, and enters Xen from here.
 *  - upcalls_disable() sets the byte and leaves the interrupt flag alone.  An upcall that comes then is not
 *    served: interrupts are off from there on, and evtchn_upcall_pending stays set.  upcalls_enable() clears the
 *    byte, finds that, and makes any hypercall, as in PV; on its way back interrupts go on again, and Xen,
 *    which raises the vector as long as evtchn_upcall_pending is set, raises it.
 *
 * So outside of this file interrupts are off only while evtchn_upcall_pending is set; where it is cleared, in
 * events_upcall(), they are switched on behind it.  Follows Xen arch/x86/hvm/irq.c (HVMIRQ_callback_vector:
 * nothing has to be acknowledged) and docs/guest-guide/x86/hypercall-abi.rst.
 */
#include "arch/asm.h"
#include "x86/hvm/regs.h"
#include "x86/upcall.h"

/* Xen public/xen.h, sched.h, event_channel.h */
#define __HYPERVISOR_sched_op         29
#define SCHEDOP_block                 1
#define __HYPERVISOR_event_channel_op 32
#define EVTCHNOP_send                 4
#define RFLAGS_IF                     0x200

/* The upcall.  Hardware masked interrupts and pushed rip, cs, rflags, rsp, ss. */
FUNC(hvm_event_callback)
	cmpb	$0, %gs:PERCPU_UPCALL_MASK
	jne	masked
	movb	$1, %gs:PERCPU_UPCALL_MASK
	cld
	push	%r11
	push	%rcx
	upcall_serve sti			/* evtchn_upcall_pending is clear, or was set again since */
	cli					/* what comes from here on waits for iretq: a storm must not eat the stack */
	movb	$0, %gs:PERCPU_UPCALL_MASK
	iretq
masked:
	andl	$~RFLAGS_IF, 16(%rsp)
	iretq
END_FUNC(hvm_event_callback)
	.globl	hvm_event_callback_end
hvm_event_callback_end:

/* A hypercall.  SYSCALL left rip in rcx and rflags in r11, which Xen keeps.  SCHEDOP_block is HLT here: with
 * interrupts off Xen would not see what became pending before it. */
	.macro	hypercall_stub name, instruction
FUNC(\name)
	cmp	$__HYPERVISOR_sched_op, %eax
	jne	1f
	cmp	$SCHEDOP_block, %edi
	je	hvm_block
1:	\instruction
	cmpb	$0, %gs:PERCPU_UPCALL_MASK
	jne	2f
	sti
2:	jmp	*%rcx
END_FUNC(\name)
	.endm

	hypercall_stub hvm_vmcall, vmcall
	hypercall_stub hvm_vmmcall, vmmcall

FUNC(hvm_block)
	cli
	movb	$0, %gs:PERCPU_UPCALL_MASK
	cmpb	$0, %gs:PERCPU_UPCALL_PENDING
	jne	1f
	sti
	hlt					/* an interrupt is taken behind it, never between the two */
1:	sti
	xor	%eax, %eax
	jmp	*%rcx
END_FUNC(hvm_block)

/* A device's interrupt becomes an event.  It may hit what no upcall does, so it touches nothing but the stack, and
 * says that upcalls are masked while the hypercall would switch interrupts on. */
FUNC(hvm_device_interrupt)
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	mov	$MSR_X2APIC_EOI, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
	wrmsr					/* first: an edge from here on interrupts again */
	mov	%gs:PERCPU_UPCALL_MASK, %bl
	movb	$1, %gs:PERCPU_UPCALL_MASK
	mov	$__HYPERVISOR_event_channel_op, %eax
	mov	$EVTCHNOP_send, %edi
	mov	$hvm_device_event, %esi
	syscall
	mov	%bl, %gs:PERCPU_UPCALL_MASK
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	iretq
END_FUNC(hvm_device_interrupt)

/* A further vCPU, by VCPUOP_initialise: 64-bit mode, page tables, a stack; rdi: this_percpu(), rsi: thread register,
 * rdx: where to go on, rcx: hvm_cpu_init()'s page. */
FUNC(hvm_cpu_entry)
	cld
	mov	%rdx, %rbx
	mov	%rsi, %r12
	mov	%rcx, %r13
	sub	$8, %rsp
	call	hvm_set_gs
	mov	%r12, %rdi
	call	hvm_set_fs
	mov	%r13, %rdi
	call	hvm_cpu_init
	add	$8, %rsp
	sti
	jmp	*%rbx
END_FUNC(hvm_cpu_entry)
