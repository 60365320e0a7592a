/* SPDX-License-Identifier: MIT
 *
 * The ELF notes Xen's domain builder reads: how this image wants to be loaded and entered.  PADDR_OFFSET is the
 * physical address of the image's first page and VIRT_BASE its virtual one, so that page is a PV domain's first
 * frame and nothing is mapped below it (a null pointer faults).  PVH is loaded by the physical addresses and
 * entered at PHYS32_ENTRY; the multiboot headers, for GRUB, are in hvm_entry.S.  Follows Xen public/elfnote.h and docs/misc (pvh.pandoc).
 */
#include <xen/elfnote.h>

	.macro	note_string type, text
	.section .note.Xen, "a", @note
	.balign	4
	.long	4, 2f - 1f, \type
	.asciz	"Xen"
1:	.asciz	"\text"
2:	.balign	4
	.endm

	.macro	note_address type, value
	.section .note.Xen, "a", @note
	.balign	4
	.long	4, 8, \type
	.asciz	"Xen"
	.quad	\value
	.endm

	.section .note.Xen, "a", @note
	.globl	xen_notes
xen_notes:
	note_string	XEN_ELFNOTE_XEN_VERSION, "xen-3.0"
	note_string	XEN_ELFNOTE_GUEST_OS, "Xenolith"
	note_string	XEN_ELFNOTE_LOADER, "generic"
	note_address	XEN_ELFNOTE_VIRT_BASE, __image_start
	note_address	XEN_ELFNOTE_PADDR_OFFSET, IMAGE_PADDR
	note_address	XEN_ELFNOTE_ENTRY, pv_entry
	note_address	XEN_ELFNOTE_MOD_START_PFN, 1	/* a ramdisk need not be mapped */
	note_address	XEN_ELFNOTE_PHYS32_ENTRY, pvh_entry_paddr
