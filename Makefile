# SPDX-License-Identifier: MIT
#
# Xenolith: `make run` boots a program as a Xen domain, `make test` proves every part. `make help` lists
# the rest.  There is no configure step; everything generated lies in build/.

ARCH   ?= x86_64
APP    ?= hello
GUEST  ?= pv
VCPUS  ?= 1
MEMORY ?= 32
ARGS   ?=
XEN    ?= 4.17
ONLY   ?=

# What a variable may be; a mistyped value says so.
ALLOWED_ARCH  := x86_64
ALLOWED_GUEST := pv
ALLOWED_XEN   := 4.14 4.17 4.20
check_value = $(if $(filter-out $(ALLOWED_$(1)),$($(1)))$(if $($(1)),,empty),\
    $(error $(1)=$($(1)) is not possible; $(1) may be: $(ALLOWED_$(1))))
$(foreach v,ARCH GUEST XEN,$(call check_value,$(v)))
not_number = $(shell echo '$($(1))' | grep -qx '[1-9][0-9]*' || echo no)
$(foreach v,VCPUS MEMORY,$(if $(call not_number,$(v)),$(error $(v)=$($(v)) is not possible; $(v) is a number above 0)))

B       := build/$(ARCH)
APP_DIR := $(if $(wildcard apps/$(APP)/.),apps/$(APP),$(APP))
APP_NAME := $(notdir $(patsubst %/,%,$(APP_DIR)))
ifeq ($(wildcard $(APP_DIR)/*.c),)
  $(error APP=$(APP): no C files in apps/$(APP) or $(APP); the apps are: $(notdir $(wildcard apps/*)))
endif

CC      := gcc
NEWLIB  := $(B)/newlib
INCLUDE := -I. -Iinclude -Ix86/include -I$(B)/include -nostdinc \
           -isystem $(shell $(CC) -print-file-name=include) -isystem $(NEWLIB)/include \
           -isystem build/xen-headers
WARN    := -Wall -Wextra -Werror
CODE    := -std=gnu11 -O2 -g -fno-pie -mno-red-zone -fcf-protection=none -fno-omit-frame-pointer \
           -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -fno-common \
           -fno-tree-loop-distribute-patterns -ftls-model=local-exec -fstack-protector-strong \
           -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__
# A function touches memory below its frame before it runs, so that a stack overflow faults while there is room
# left for Xen's exception frame: a PV guest has no other stack (docs/ARCHITECTURE.md).
CODE    += -fstack-check
# The kernel leaves the FPU's registers to the program: an upcall does not save them.
KERNEL_CODE := $(CODE) -mgeneral-regs-only
LDFLAGS := -nostdlib -static -no-pie -Wl,--gc-sections,--build-id=none,-z,max-page-size=4096 \
           -Wl,-z,noexecstack,--no-warn-rwx-segments,-T,boot/image.lds
export CC LDFLAGS

# The parts. A file in a folder of the kernel is built; nothing else is edited to add one.
KERNEL_DIRS := boot lib mm events grant kernel console xenbus control x86 x86/pv
KERNEL_SRC  := $(filter-out %/asm-offsets.c,$(wildcard $(addsuffix /*.c,$(KERNEL_DIRS)) \
                                              $(addsuffix /*.S,$(KERNEL_DIRS))))
LIBC_SRC    := $(wildcard libc/*.c)
KERNEL_OBJ  := $(KERNEL_SRC:%=$(B)/obj/%.o)
LIBC_OBJ    := $(LIBC_SRC:%=$(B)/obj/%.o)
APPS        := $(notdir $(wildcard apps/*))
# Before the thread register is set nothing may read the canary.
NO_CANARY   := $(B)/obj/boot/pv.c.o $(B)/obj/x86/context.c.o $(B)/obj/x86/pv/segment.c.o \
               $(B)/obj/x86/cpu.c.o

.PHONY: all run test test-xen bench check shell debug clean distclean help
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

all: $(APPS:%=$(B)/%.elf)

# --- what comes from elsewhere ---------------------------------------------------------------------------

HEADERS := build/xen-headers/xen $(NEWLIB)/stamp $(B)/include/asm-offsets.h

build/xen-headers/xen:
	@tools/host-packages.sh build
	@mkdir -p $(@D) && ln -sfn /usr/include/xen $@

$(NEWLIB)/stamp: tools/newlib.sh
	@tools/host-packages.sh build
	@tools/newlib.sh $(ARCH) && touch $@

# --- the kernel ------------------------------------------------------------------------------------------

$(B)/include/asm-offsets.h: x86/asm-offsets.c | build/xen-headers/xen $(NEWLIB)/stamp
	@mkdir -p $(@D)
	@$(CC) $(INCLUDE) $(KERNEL_CODE) -MMD -MP -MF $(B)/asm-offsets.d -MT $@ -S $< -o $(B)/asm-offsets.s
	@sed -n 's/.*\.ascii "\(#define [^"]*\)".*/\1/p' $(B)/asm-offsets.s >$@

# The flags are a prerequisite: changing them rebuilds.
FLAGS_SUM := $(shell echo '$(CODE) $(WARN)' | cksum | cut -d' ' -f1)
$(B)/flags.$(FLAGS_SUM):
	@mkdir -p $(@D) && rm -f $(B)/flags.* && : >$@

$(NO_CANARY): KERNEL_CODE += -fno-stack-protector

$(KERNEL_OBJ): $(B)/obj/%.o: % $(B)/flags.$(FLAGS_SUM) | $(HEADERS)
	@mkdir -p $(@D)
	@$(CC) $(INCLUDE) $(KERNEL_CODE) $(WARN) -MMD -MP -c $< -o $@

$(LIBC_OBJ): $(B)/obj/%.o: % $(B)/flags.$(FLAGS_SUM) | $(HEADERS)
	@mkdir -p $(@D)
	@$(CC) $(INCLUDE) $(CODE) $(WARN) -MMD -MP -c $< -o $@

$(B)/libxenolith.a: $(KERNEL_OBJ) $(LIBC_OBJ)
	@rm -f $@ && ar rcs $@ $^

# --- apps: $(1) is the folder, $(2) the name ---------------------------------------------------------------

define app_rules
APP_SRC_$(2) := $$(wildcard $(1)/*.c)
APP_CFLAGS :=
-include $(1)/app.mk
APP_CFLAGS_$(2) := $$(APP_CFLAGS)
APP_OBJ_$(2) := $$(patsubst $(1)/%,$$(B)/obj/apps/$(2)/%.o,$$(APP_SRC_$(2)))

$$(APP_OBJ_$(2)): $$(B)/obj/apps/$(2)/%.o: $(1)/% $$(B)/flags.$$(FLAGS_SUM) | $$(HEADERS)
	@mkdir -p $$(@D)
	@$$(CC) $$(INCLUDE) $$(CODE) $$(WARN) $$(APP_CFLAGS_$(2)) -MMD -MP -c $$< -o $$@

$$(B)/$(2).elf: $$(APP_OBJ_$(2)) $$(B)/libxenolith.a boot/image.lds tools/link.sh tools/symbols.py
	@CFLAGS='-fno-pie' tools/link.sh $(2) $$@ -Wl,--start-group $$(APP_OBJ_$(2)) $$(B)/libxenolith.a \
	    $$(NEWLIB)/lib/libc.a $$(NEWLIB)/lib/libm.a -Wl,--end-group \
	    $$(shell $$(CC) -print-libgcc-file-name)
	@echo "$$@: $$$$(size -A $$@ | awk '/^\.(note|text|rodata|init|fini|tdata|data)/ { n += $$$$2 } END { print n }') loadable bytes"
endef
$(foreach app,$(APPS),$(eval $(call app_rules,apps/$(app),$(app))))
$(if $(filter $(APP_NAME),$(APPS)),,$(eval $(call app_rules,$(APP_DIR:/=),$(APP_NAME))))

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# --- running -----------------------------------------------------------------------------------------------

BED := tools/bed/bed.py

run: $(B)/$(APP_NAME).elf
	@tools/run.sh $< '$(XEN)' '$(MEMORY)' '$(VCPUS)' $(if $(ARGS),'$(ARGS)')

clean:
	@rm -rf build/x86_64/obj build/x86_64/*.elf build/host build/fuzz

distclean:
	@rm -rf build

#-include tests/host/host.mk
#-include tests/fuzz/fuzz.mk
