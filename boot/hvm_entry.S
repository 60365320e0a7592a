/* SPDX-License-Identifier: MIT
 *
 * The doors of a domain with hardware assistance.  vCPU 0, 32-bit protected mode, flat segments, no paging,
 * interrupts off, no stack; %ebx = a physical address:
 *
 *     pvh_entry        struct hvm_start_info    Xen docs/misc/pvh.pandoc
 *     multiboot_entry  multiboot information, %eax = a magic number that says of which version
 *
 * Goes on to boot/hvm.c in 64-bit mode, at the addresses the image is linked for, on boot_stack.  All of
 * this lies in the image's first page, the only one that is mapped where it physically is.
 */
#define XEN_HVM_START_MAGIC_VALUE 0x336ec578
#define CR0                       0x80010033	/* PG WP NE ET MP PE */
#define CR4                       0x620		/* OSXMMEXCPT OSFXSR PAE */
#define MSR_EFER                  0xc0000080
#define EFER_SCE                  (1 << 0)
#define EFER_LME                  (1 << 8)
#define ENTRY                     3		/* present, writable: rights are boot/hvm.c's matter */
#define MB1_MAGIC                 0x1badb002
#define MB1_FLAGS                 0x10002		/* has addresses, wants a memory map */
#define MB2_MAGIC                 0xe85250d6

/* Where the headers say that the file goes: header, image's start, its data's and its own end, entry. So loaders take
 * it as it is and leave the debugging information alone; a device model's (kernel=) takes a 64-bit image only so. */
	.macro	addresses header
	.long	\header, IMAGE_PADDR, image_data_end_paddr, image_end_paddr
	.endm

	.section .boot, "ax", @progbits
	.balign	8
	.globl	multiboot1_header, multiboot2_header
multiboot1_header:
	.long	MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)
	addresses multiboot1_paddr
	.long	multiboot_entry_paddr

multiboot2_header:
	.long	MB2_MAGIC, 0, multiboot2_end - multiboot2_header
	.long	-(MB2_MAGIC + multiboot2_end - multiboot2_header)
	.short	2, 0				/* addresses */
	.long	24
	addresses multiboot2_paddr
	.short	3, 0				/* entry */
	.long	12, multiboot_entry_paddr, 0
	.short	0, 0
	.long	8				/* the end of the tags */
multiboot2_end:

	.balign	8
boot_gdt:					/* selectors as in x86/hvm/cpu.c */
	.quad	0
	.quad	0x00af9b000000ffff		/* 8: code, 64 bits */
	.quad	0x00cf93000000ffff		/* 16: data */
boot_gdt_end:

	.code32
	.globl	pvh_entry, multiboot_entry, boot_entry64
pvh_entry:
	mov	$XEN_HVM_START_MAGIC_VALUE, %eax
multiboot_entry:
	cld
	mov	%eax, %edi			/* hvm_start()'s arguments */
	mov	%ebx, %esi
	mov	$__image_offset, %ebp
	mov	$boot_stack_top, %esp
	sub	%ebp, %esp

	/* One table each of levels 4, 3 and 2, then all of level 1, one behind the other. */
	mov	$hvm_tables, %ebx
	sub	%ebp, %ebx
	lea	0x1000 + ENTRY(%ebx), %eax
	mov	%eax, (%ebx)
	add	$0x1000, %eax
	mov	%eax, 0x1000(%ebx)
	xor	%ecx, %ecx
1:	add	$0x1000, %eax
	mov	%eax, 0x2000(%ebx, %ecx, 8)
	inc	%ecx
	cmp	$HVM_LAST_TABLES, %ecx
	jb	1b

	/* The image, and this page where it is. */
	mov	$__image_start, %ecx
2:	mov	%ecx, %edx
	shr	$12, %edx
	lea	ENTRY(%ecx), %eax
	sub	%ebp, %eax
	mov	%eax, 0x3000(%ebx, %edx, 8)
	add	$0x1000, %ecx
	cmp	$__image_end, %ecx
	jb	2b
	mov	$IMAGE_PADDR, %eax
	mov	%eax, %edx
	shr	$12, %edx
	or	$ENTRY, %eax
	mov	%eax, 0x3000(%ebx, %edx, 8)

	mov	%ebx, %cr3
	mov	$CR4, %eax
	mov	%eax, %cr4
	mov	$boot_gdt, %eax
	sub	%ebp, %eax
	push	%eax
	pushw	$boot_gdt_end - boot_gdt - 1
	lgdt	(%esp)
	mov	$0x80000001, %eax
	cpuid					/* edx: may pages be no-execute? */
	and	$1 << 20, %edx
	shr	$20 - 11, %edx			/* EFER_NXE */
	mov	%edx, %ebp
	lea	EFER_LME | EFER_SCE(%edx), %eax
	xor	%edx, %edx
	mov	$MSR_EFER, %ecx
	wrmsr
	mov	$CR0, %eax
	mov	%eax, %cr0
	ljmp	$8, $boot_entry64_paddr

	.code64
boot_entry64:
	mov	$16, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	mov	$boot_stack_top, %esp		/* the image lies below 4 GiB */
	mov	%ebp, %edx
	xor	%ebp, %ebp			/* ends every backtrace */
	push	%rbp				/* as a call would: aligned, and no caller */
	mov	$hvm_start, %eax
	jmp	*%rax
