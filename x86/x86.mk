# SPDX-License-Identifier: MIT
#
# What the Makefile needs to know of x86-64. Another CPU has a file with the same names: arm/arm.mk.

CROSS         :=
ARCH_DIRS     := x86 x86/pv x86/hvm pci rtl8139
ARCH_INCLUDE  := -Ix86/include
# A function compares the stack pointer with the thread's limit before it takes its frame: x86/context.c,
# __morestack. A PV guest has no other way to report an overflow (docs/ARCHITECTURE.md).
ARCH_CODE     := -mno-red-zone -fcf-protection=none -fsplit-stack
ARCH_NO_LIMIT := -fno-split-stack
LINKER_SCRIPT := boot/image.lds
IMAGE_AT      :=
IMAGE_KIND    := elf
BED_PACKAGES  := bed
BED_ARCH      := x86_64
CFG_pv        := pv
CFG_pvh       := pvh
CFG_hvm       := hvm

# Of boot/, what other CPUs' doors are made of.
NOT_FOR_THIS_ARCH := arm.c arm32_entry.S arm64_entry.S device_tree.c
ARCH_COLD      := boot/hvm boot/loaded boot/multiboot boot/pv boot/pvh pci/pci rtl8139/chip rtl8139/life rtl8139/rtl8139 \
                  x86/cpu x86/guest x86/trap x86/hvm/cpu x86/hvm/grant x86/hvm/interrupt x86/hvm/mmu x86/hvm/smp x86/hvm/uart x86/hvm/unplug x86/hvm/xen x86/pv/grant x86/pv/mmu x86/pv/segment x86/pv/smp x86/segment
ARCH_NO_CANARY := boot/pv boot/hvm x86/context x86/cpu x86/segment x86/pv/segment x86/hvm/cpu
ARCH_HEADERS   :=
ARCH_LIBRARIES :=
