# SPDX-License-Identifier: MIT
#
# What the Makefile needs to know of ARM; x86/x86.mk has the same names.

CROSS         := $(if $(filter arm64,$(ARCH)),aarch64-linux-gnu-,arm-linux-gnueabihf-)
ARCH_DIRS     := arm arm/$(ARCH)
ARCH_INCLUDE  := -Iarm/include -Iarm/$(ARCH)/include
# ARMv7 with virtualisation, which Xen wants, and with it 64-bit loads and stores that are not torn, and division;
# the FPU's smallest kind.
CODE_arm32    := -marm -march=armv7ve+fp -mfloat-abi=hard -mtp=cp15
CODE_arm64    := -mno-outline-atomics
# An exception has a stack of its own, so guard pages do; a frame that is larger than one touches each page.
ARCH_CODE     := $(CODE_$(ARCH)) -fstack-clash-protection --param=stack-clash-protection-guard-size=12
ARCH_NO_LIMIT :=
LINKER_SCRIPT := boot/arm.lds
IMAGE_AT      := 0x200000
IMAGE_KIND    := $(if $(filter arm64,$(ARCH)),Image,zImage)
BED_PACKAGES  := bed_arm
BED_ARCH      := arm64
CFG_pvh       := arm

NOT_FOR_THIS_ARCH := cards.c hvm.c hvm_entry.S loaded.c multiboot.c notes.S pv.c pv_entry.S pvh.c \
                     $(if $(filter arm64,$(ARCH)),arm32,arm64)_entry.S
ARCH_COLD      := boot/arm boot/device_tree arm/fault arm/gic arm/grant arm/mmu arm/random arm/smp \
                  arm/$(ARCH)/cpu arm/$(ARCH)/trap
ARCH_NO_CANARY := boot/arm arm/context
LIBFDT         := build/$(ARCH)/libfdt
ARCH_HEADERS   := $(LIBFDT)/stamp
ARCH_LIBRARIES := $(LIBFDT)/libfdt.a

$(LIBFDT)/stamp: tools/libfdt.sh
	@tools/libfdt.sh $(ARCH) && touch $@

$(B)/obj/boot/device_tree.c.o: private INCLUDE += -isystem $(LIBFDT)/usr/include
