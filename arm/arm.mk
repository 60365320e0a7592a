# SPDX-License-Identifier: MIT
#
# What the Makefile needs to know of ARM; x86/x86.mk has the same names.

CROSS         := aarch64-linux-gnu-
ARCH_DIRS     := arm arm/arm64
ARCH_INCLUDE  := -Iarm/include -Iarm/arm64/include
# An exception has a stack of its own, so guard pages do; a frame that is larger than one touches each page.
ARCH_CODE     := -mno-outline-atomics -fstack-clash-protection --param=stack-clash-protection-guard-size=12
ARCH_NO_LIMIT :=
LINKER_SCRIPT := boot/$(ARCH).lds
IMAGE_AT      := 0x200000
IMAGE_KIND    := Image
BED_PACKAGES  := bed_arm
CFG_pvh       := arm

NOT_FOR_THIS_ARCH := hvm.c hvm_entry.S loaded.c multiboot.c notes.S pv.c pv_entry.S pvh.c
ARCH_COLD      := boot/arm boot/device_tree arm/cpu arm/gic arm/grant arm/smp arm/arm64/mmu arm/arm64/trap
ARCH_NO_CANARY := boot/arm arm/context
LIBFDT         := build/$(ARCH)/libfdt
ARCH_HEADERS   := $(LIBFDT)/stamp
ARCH_LIBRARIES := $(LIBFDT)/libfdt.a

$(LIBFDT)/stamp: tools/libfdt.sh
	@tools/libfdt.sh $(ARCH) && touch $@

build/$(ARCH)/obj/boot/device_tree.c.o: private INCLUDE += -isystem $(LIBFDT)/usr/include
