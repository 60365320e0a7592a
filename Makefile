# SPDX-License-Identifier: MIT
#
# Xenolith: `make run` boots a program as a Xen domain, `make test` proves every part. `make help` lists
# the rest.  There is no configure step; everything generated lies in build/.

ARCH   ?= x86_64
APP    ?= http
GUEST  ?= $(if $(filter arm%,$(ARCH)),pvh,pv)
VCPUS  ?= 1
MEMORY ?= 32
ARGS   ?=
XEN    ?= 4.17
ONLY   ?=
DEBUG  ?=
# Of check and test, which build most.
JOBS   ?= $(shell nproc)

# What a variable may be; a mistyped value says so.
ALLOWED_ARCH  := x86_64 arm64 arm32
ALLOWED_GUEST := $(if $(filter arm%,$(ARCH)),pvh,pv pvh hvm)
ALLOWED_XEN   := 4.14 4.17 4.20
check_value = $(if $(filter-out $(ALLOWED_$(1)),$($(1)))$(if $($(1)),,empty),\
    $(error $(1)=$($(1)) is not possible; $(1) may be: $(ALLOWED_$(1))))
$(foreach v,ARCH GUEST XEN,$(call check_value,$(v)))
not_number = $(shell echo '$($(1))' | grep -qx '[1-9][0-9]*' || echo no)
$(foreach v,VCPUS MEMORY,$(if $(call not_number,$(v)),$(error $(v)=$($(v)) is not possible; $(v) is a number above 0)))

# DEBUG=1: slower, with checks of the lock order; beside the usual build.
B       := build/$(if $(DEBUG),debug-)$(ARCH)
APP_DIR := $(if $(wildcard apps/$(APP)/.),apps/$(APP),$(APP))
APP_NAME := $(notdir $(patsubst %/,%,$(APP_DIR)))
PORT    ?= $(if $(filter http,$(APP_NAME)),8080)
ifneq ($(filter-out $(realpath $(APP_DIR)),$(realpath apps/$(APP_NAME))),)
  $(error APP=$(APP): apps/ has a program called $(APP_NAME) already; give yours another name)
endif
ifeq ($(wildcard $(APP_DIR)/*.c),)
  $(error APP=$(APP): no C files in apps/$(APP) or $(APP); the apps are: $(notdir $(wildcard apps/*)))
endif

include $(if $(filter arm%,$(ARCH)),arm/arm.mk,x86/x86.mk)

CC      := $(CROSS)gcc
NEWLIB  := build/$(ARCH)/newlib
# Asked for when used: on a new machine the compilers come only with the first rule.
headers_of = -nostdinc -isystem $(shell $(1) -print-file-name=include)
INCLUDE := -I. -Iinclude $(ARCH_INCLUDE) -I$(B)/include -isystem $(NEWLIB)/include \
           -isystem build/xen-headers
WARN    := -Wall -Wextra -Werror
CODE    := -std=gnu11 -O2 -g -fno-pie $(ARCH_CODE) -fno-omit-frame-pointer \
           -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -fno-common \
           -fno-tree-loop-distribute-patterns -ftls-model=local-exec -fstack-protector-strong \
           -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__
CODE    += $(if $(DEBUG),-DDEBUG)
# The kernel leaves the FPU's registers to the program: an upcall does not save them.
KERNEL_CODE := $(CODE) -mgeneral-regs-only
LDFLAGS := -nostdlib -static -no-pie -Wl,--gc-sections,--build-id=none,-z,max-page-size=4096 \
           -Wl,-z,noexecstack,--no-warn-rwx-segments,-T,$(LINKER_SCRIPT)
NM      := $(CROSS)nm
export CC LDFLAGS IMAGE_AT NM

# The parts. A file in a folder of the kernel is built; nothing else is edited to add one.
KERNEL_DIRS := boot lib mm events grant kernel console xenbus control netfront $(ARCH_DIRS)
KERNEL_SRC  := $(filter-out %/asm-offsets.c $(NOT_FOR_THIS_ARCH:%=boot/%), \
                            $(wildcard $(addsuffix /*.c,$(KERNEL_DIRS)) $(addsuffix /*.S,$(KERNEL_DIRS)))) \
               net/netbuf.c net/netdev.c
LIBC_SRC    := $(wildcard libc/*.c)
NET_SRC     := $(filter-out net/netbuf.c net/netdev.c,$(wildcard net/*.c))
KERNEL_OBJ  := $(KERNEL_SRC:%=$(B)/obj/%.o)
LIBC_OBJ    := $(LIBC_SRC:%=$(B)/obj/%.o)
NET_OBJ     := $(NET_SRC:%=$(B)/obj/%.o)
# Of lwIP's sources; memp.c is net/memory.c here, timeouts.c net/timers.c. Linked into programs that use sockets only.
LWIP        := build/lwip-source/lwip/src
LWIP_NAMES  := $(addprefix core/,def dns inet_chksum init ip mem netif pbuf raw tcp tcp_in tcp_out udp) \
               $(addprefix core/ipv4/,dhcp etharp icmp igmp ip4 ip4_addr ip4_frag) \
               $(addprefix core/ipv6/,ethip6 icmp6 ip6 ip6_addr ip6_frag mld6 nd6) netif/ethernet apps/lwiperf/lwiperf
LWIP_OBJ    := $(LWIP_NAMES:%=$(B)/obj/lwip/%.o)
# nd6.c says htonl() for once, where lwIP's other files use their own.
LWIP_FIXES  := -Dhtonl=lwip_htonl
# Seen by the compiler through lwIP's headers, which -MMD does not follow.
LWIP_CONFIG := $(wildcard net/lwip/*.h net/lwip/arch/*.h)
LWIP_INCLUDE := -Inet/lwip -isystem $(LWIP)/include
APPS        := $(notdir $(wildcard apps/*))
# Before the thread register is set nothing may read the canary or the stack limit.
NO_CANARY   := $(patsubst %,$(B)/obj/%.c.o,$(ARCH_NO_CANARY))

.PHONY: all run shell debug test test-wrapper test-image test-iso test-xen test-x86 test-arm64 test-arm32 soak test-libc test-suites test-bed test-page bench check check-tools check-format \
        check-layers check-scripts clean distclean help
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# --- what comes from elsewhere ---------------------------------------------------------------------------

HEADERS := build/xen-headers/xen $(NEWLIB)/stamp $(B)/include/asm-offsets.h $(ARCH_HEADERS)

build/xen-headers/xen:
	@tools/host-packages.sh build
	@mkdir -p $(@D) && ln -sfn /usr/include/xen $@

$(NEWLIB)/stamp: tools/newlib.sh
	@tools/host-packages.sh build $(ARCH)
	@tools/newlib.sh $(ARCH) && touch $@

build/lwip-source/stamp: tools/lwip.sh
	@tools/host-packages.sh build
	@tools/lwip.sh

# --- the kernel ------------------------------------------------------------------------------------------

$(B)/include/asm-offsets.h: $(firstword $(ARCH_DIRS))/asm-offsets.c | build/xen-headers/xen $(NEWLIB)/stamp
	@mkdir -p $(@D)
	@$(CC) $(call headers_of,$(CC)) $(INCLUDE) $(KERNEL_CODE) -MMD -MP -MF $(B)/asm-offsets.d -MT $@ -S $< -o $(B)/asm-offsets.s
	@sed -n 's/.*\.ascii "\(#define [^"]*\)".*/\1/p' $(B)/asm-offsets.s >$@

# What runs once, or only when something happens that is slow anyway: small rather than fast.
COLD := boot/memory boot/options boot/start console/input console/ring \
        console/write control/control control/vcpus events/bind events/two_level kernel/hotplug kernel/account kernel/inherit kernel/interrupt kernel/kick kernel/priority \
        kernel/slice kernel/smp kernel/stop kernel/thread kernel/time lib/cmdline lib/error_name lib/format lib/log lib/panic \
        lib/symbols libc/archive libc/archive_cpio libc/archive_tar libc/atexit libc/console libc/directory libc/fd \
        libc/files libc/info libc/lifecycle libc/process libc/pthread libc/signal_wait libc/start libc/syscalls \
        libc/time libc/tree_fill mm/address_space mm/module net/netdev netfront/connect netfront/ctrl netfront/life \
        netfront/netfront netfront/publish $(ARCH_COLD) \
        xenbus/client xenbus/device xenbus/directory xenbus/ring xenbus/store xenbus/watch
$(COLD:%=$(B)/obj/%.c.o): private OPTIMIZE := -Os

# net/segment.c stands in front of these functions of tcp_out.c, and is asked by it for memory and for IP.
LWIP_HOOKS := $(foreach f,tcp_output tcp_rexmit_fast tcp_rexmit_rto_commit tcp_split_unsent_seg,-D$(f)=lwip_$(f)) \
              $(foreach f,pbuf_alloc ip4_output_if ip6_output_if,-D$(f)=net_$(f))

# The flags are a prerequisite: changing them rebuilds.
FLAGS_SUM := $(shell echo '$(CODE) $(WARN) $(COLD) $(LWIP_HOOKS) $(LWIP_FIXES)' | cksum | cut -d' ' -f1)
$(B)/flags.$(FLAGS_SUM):
	@mkdir -p $(@D) && rm -f $(B)/flags.* && : >$@

$(NO_CANARY): KERNEL_CODE += -fno-stack-protector $(ARCH_NO_LIMIT)
# Once, on the boot stack, and a domain with hardware assistance survives the fault of an overflow.
$(patsubst %,$(B)/obj/boot/%.c.o,loaded memory multiboot pvh): KERNEL_CODE += $(ARCH_NO_LIMIT)

$(KERNEL_OBJ): $(B)/obj/%.o: % $(B)/flags.$(FLAGS_SUM) | $(HEADERS)
	@mkdir -p $(@D)
	@$(CC) $(call headers_of,$(CC)) $(INCLUDE) $(KERNEL_CODE) $(OPTIMIZE) $(WARN) -MMD -MP -c $< -o $@

$(LIBC_OBJ): $(B)/obj/%.o: % $(B)/flags.$(FLAGS_SUM) | $(HEADERS)
	@mkdir -p $(@D)
	@$(CC) $(call headers_of,$(CC)) $(INCLUDE) $(CODE) $(OPTIMIZE) $(WARN) -MMD -MP -c $< -o $@

# --- TCP/IP ------------------------------------------------------------------------------------------------

$(NET_OBJ): $(B)/obj/%.o: % $(B)/flags.$(FLAGS_SUM) $(LWIP_CONFIG) | $(HEADERS) build/lwip-source/stamp
	@mkdir -p $(@D)
	@$(CC) $(call headers_of,$(CC)) $(INCLUDE) $(LWIP_INCLUDE) $(CODE) $(WARN) -MMD -MP -c $< -o $@

$(B)/obj/lwip/core/tcp_out.o: private HOOKS := $(LWIP_HOOKS)

$(LWIP_OBJ): $(B)/obj/lwip/%.o: build/lwip-source/stamp $(B)/flags.$(FLAGS_SUM) $(LWIP_CONFIG) | $(HEADERS)
	@mkdir -p $(@D)
	@$(CC) $(call headers_of,$(CC)) $(INCLUDE) $(LWIP_INCLUDE) $(CODE) $(HOOKS) $(LWIP_FIXES) -w -c $(LWIP)/$*.c -o $@

$(B)/libnet.a: $(NET_OBJ)
$(B)/liblwip.a: $(LWIP_OBJ)
$(B)/libnet.a $(B)/liblwip.a:
	@rm -f $@ && $(CROSS)ar rcs $@ $^

$(B)/libxenolith.a: $(KERNEL_OBJ) $(LIBC_OBJ)
	@rm -f $@ && $(CROSS)ar rcs $@ $^

# --- apps: $(1) is the folder, $(2) the name ---------------------------------------------------------------

LIBRARIES := $(B)/libxenolith.a $(B)/libnet.a $(B)/liblwip.a

define app_rules
APP_SRC_$(2) := $$(wildcard $(1)/*.c)
APP_CFLAGS :=
APP_NEEDS :=
-include $(1)/app.mk
APP_CFLAGS_$(2) := $$(APP_CFLAGS)
APP_NEEDS_$(2) := $$(APP_NEEDS)
APP_OBJ_$(2) := $$(patsubst $(1)/%,$$(B)/obj/apps/$(2)/%.o,$$(APP_SRC_$(2)) $$(wildcard $(1)/*.html))

$$(patsubst $(1)/%,$$(B)/obj/apps/$(2)/%.o,$$(APP_SRC_$(2))): $$(B)/obj/apps/$(2)/%.o: $(1)/% $$(B)/flags.$$(FLAGS_SUM) | $$(HEADERS) $$(APP_NEEDS_$(2))
	@mkdir -p $$(@D)
	@$$(CC) $$(INCLUDE) $$(CODE) $$(WARN) $$(APP_CFLAGS_$(2)) -MMD -MP -c $$< -o $$@

# A file as it is, from NAME_html[] to NAME_html_end.
$$(B)/obj/apps/$(2)/%.html.o: $(1)/%.html $$(B)/flags.$$(FLAGS_SUM)
	@mkdir -p $$(@D)
	@printf '.section .rodata.$$*_html,"a"\n.global $$*_html, $$*_html_end\n$$*_html: .incbin "%s"\n$$*_html_end:\n.section .note.GNU-stack\n' $$< | \
	    $$(CC) -x assembler -c - -o $$@

$$(B)/$(2).elf: $$(APP_OBJ_$(2)) $$(LIBRARIES) $(LINKER_SCRIPT) tools/link.sh tools/symbols.py
	@CFLAGS='-fno-pie' tools/link.sh $(2) $$@ -Wl,--start-group $$(APP_OBJ_$(2)) $$(LIBRARIES) \
	    $$(NEWLIB)/lib/libc.a $$(NEWLIB)/lib/libm.a $(ARCH_LIBRARIES) -Wl,--end-group \
	    $$(shell $$(CC) -print-libgcc-file-name)
	@echo "$$@: $$$$($(CROSS)size -A $$@ | awk '/^\.(note|text|rodata|init|fini|tdata|data)/ { n += $$$$2 } END { print n }') loadable bytes"
endef
$(foreach app,$(APPS),$(eval $(call app_rules,apps/$(app),$(app))))
$(eval $(call app_rules,tests/libc,libc-test))
$(if $(filter $(APP_NAME),$(APPS)),,$(eval $(call app_rules,$(APP_DIR:/=),$(APP_NAME))))

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# --- running -----------------------------------------------------------------------------------------------

IMAGE := $(B)/$(APP_NAME).$(IMAGE_KIND)
CFG   := $(B)/$(APP_NAME).$(GUEST).cfg
BED   := tools/bed/bed.py

# BIOS and GRUB want room.
memory_of = $(if $(filter file,$(origin MEMORY)),$(if $(filter hvm,$(1)),64,32),$(MEMORY))

# A complete xl configuration beside the image. Written anew each time: it holds this run's variables.
.PHONY: $(CFG)
$(CFG): $(IMAGE)
	@tools/make_cfg.sh tools/xl/$(CFG_$(GUEST)).cfg.in $(IMAGE) $(call memory_of,$(GUEST)) $(VCPUS) "$$ARGS" >$@
export ARGS

all: $(APPS:%=$(B)/%.$(IMAGE_KIND)) $(if $(filter hvm,$(ALLOWED_GUEST)),$(APPS:%=$(B)/%.iso)) \
     $(foreach guest,$(ALLOWED_GUEST),$(APPS:%=$(B)/%.$(guest).cfg))

# As it lies in memory: what ARM's boot protocol wants.
$(B)/%.Image: $(B)/%.elf
	@$(CROSS)objcopy -O binary $< $@
$(B)/%.zImage: $(B)/%.elf
	@$(CROSS)objcopy -O binary $< $@

define cfg_rule
$(filter-out $(CFG),$(APPS:%=$(B)/%.$(1).cfg)): $(B)/%.$(1).cfg: $(B)/%.$(IMAGE_KIND) tools/xl/$(CFG_$(1)).cfg.in
	@tools/make_cfg.sh tools/xl/$(CFG_$(1)).cfg.in $$< $(call memory_of,$(1)) $(VCPUS) >$$@
endef
$(foreach guest,$(ALLOWED_GUEST),$(eval $(call cfg_rule,$(guest))))

# The CD an HVM domain starts from; .mb2: by the second version of multiboot; .rtl: with the emulated network card;
# .plain: without the emulated serial port.
$(B)/%.mb2.iso: $(B)/%.elf tools/iso.sh
	@tools/host-packages.sh iso
	@MULTIBOOT=2 tools/iso.sh $< $@ "-uart=io:0x3f8"
$(B)/%.rtl.iso: $(B)/%.elf tools/iso.sh
	@tools/host-packages.sh iso
	@tools/iso.sh $< $@ "-uart=io:0x3f8 -net=rtl8139"
$(B)/%.plain.iso: $(B)/%.elf tools/iso.sh
	@tools/host-packages.sh iso
	@tools/iso.sh $< $@
$(B)/%.iso: $(B)/%.elf tools/iso.sh
	@tools/host-packages.sh iso
	@tools/iso.sh $< $@ "-uart=io:0x3f8"
# A test's: with modules, of which two have a text that says where they are to be.
define modules_iso
@tools/host-packages.sh iso
@tar cf $@.tar -C tests/xen dom0
@cd tests/xen && find dom0 -name '*.sh' | cpio -o -H newc --quiet >$(abspath $@).cpio
@MULTIBOOT=$(if $(findstring .mb2,$@),2) tools/iso.sh $< $@ "-uart=io:0x3f8" $@.tar "" $@.cpio "/some/place else" \
    tests/xen/dom0/check.sh /etc/check
endef
$(B)/%.modules.iso: $(B)/%.elf tools/iso.sh $(wildcard tests/xen/dom0/*.sh)
	$(modules_iso)
$(B)/%.modules.mb2.iso: $(B)/%.elf tools/iso.sh $(wildcard tests/xen/dom0/*.sh)
	$(modules_iso)
$(filter %.hvm.cfg,$(CFG)): $(B)/$(APP_NAME).run.iso
.PHONY: $(B)/$(APP_NAME).run.iso
$(B)/$(APP_NAME).run.iso: $(IMAGE)
	@tools/host-packages.sh iso
	@tools/iso.sh $< $(B)/$(APP_NAME).iso "-uart=io:0x3f8 $$ARGS"

.PHONY: bed-tools test-tools
bed-tools:
	@tools/host-packages.sh build $(BED_PACKAGES)
test-tools:
	@tools/host-packages.sh build test

run: $(CFG) | bed-tools
	@exec tools/run.sh $(CFG) $(XEN) "$(PORT)" $(BED_ARCH)

shell: all | bed-tools
	@$(BED) shell --xen $(XEN) --arch $(BED_ARCH) $(patsubst %,--file %,$(wildcard $(B)/*.$(IMAGE_KIND)))

debug: $(CFG) | bed-tools test-tools
	@$(BED) debug --xen $(XEN) --cfg $(CFG) --kernel $(IMAGE)

# --- proving -----------------------------------------------------------------------------------------------

# Before host.mk: its tests are host tests.
include tests/net/net.mk
include tests/host/host.mk
-include tests/fuzz/fuzz.mk
include tests/lwip/lwip.mk

TEST_LOGS  := build/test-logs
TEST_PARTS := test-host test-image test-iso $(if $(findstring lwip,$(ONLY))$(if $(ONLY),,all),test-lwip) fuzz-short $(if $(findstring libc,$(ONLY))$(if $(ONLY),,all),test-libc) \
              test-wrapper test-bed test-page test-x86 test-arm64 test-arm32

$(B)/%.lost.elf: $(B)/%.elf tests/xen/lose_vcpus.py
	@tests/xen/lose_vcpus.py $< $@

test-xen: all | bed-tools
	@tests/xen/run.py --arch $(ARCH) $(if $(SHORT),--short) $(if $(ONLY),--only '$(ONLY)')

# Each test once, on one version of Xen or another; all on each: make test-xen.
test-x86:
	@$(MAKE) --no-print-directory ARCH=x86_64 SHORT=1 test-xen

# Another CPU's image, and the shorter ones of its domains' tests; all: make test-xen ARCH=arm64.
test-arm64 test-arm32: test-%:
	@failed=; for part in test-image $(if $(filter arm32,$*),test-relocate) test-xen; do \
	    $(MAKE) --no-print-directory --keep-going ARCH=$* SHORT=1 $$part || failed=1; done; [ -z "$$failed" ]

soak: all | bed-tools
	@tests/xen/run.py --soak --arch $(ARCH) $(if $(ONLY),--only '$(ONLY)')

# Every part runs even when one before it failed; the last line adds them up.
test:
	@tools/host-packages.sh build bed test page
	@rm -rf $(TEST_LOGS) && mkdir -p $(TEST_LOGS)
	@for part in $(TEST_PARTS); do \
	    echo "== $$part"; : >$(TEST_LOGS)/$$part.log; \
	    $(MAKE) --no-print-directory --jobs=$(JOBS) $$part >$(TEST_LOGS)/$$part.log 2>&1 & tail --pid=$$! -n +1 -qf $(TEST_LOGS)/$$part.log; \
	    wait $$! ; echo $$? >$(TEST_LOGS)/$$part.status; done; tools/sum.sh $(TEST_LOGS)

# What Xen's domain builder and our page tables rely on, read back from the image.
test-image: $(B)/hello.elf $(KERNEL_OBJ)
	@tests/image/check_image.py $(if $(ONLY),--only '$(ONLY)') $^

# ARMv7's image where Xen does not put it.
.PHONY: test-relocate
test-relocate: $(B)/hello.$(IMAGE_KIND) | bed-tools
	@tests/relocate/run.py $< '$(ONLY)'

# The archive is a module there.
test-wrapper: $(B)/hello.installed.tar
	@tools/host-packages.sh iso
	@tests/wrapper/run.sh $< $< '$(ONLY)'

# The CDs for HVM: what is on them, and what they say where there is no Xen.
test-iso: $(B)/hello.elf $(B)/hello.iso $(B)/hello.mb2.iso | bed-tools
	@tests/image/check_iso.py $(if $(ONLY),--only '$(ONLY)') $^

test-bed: | bed-tools
	@tests/bed/run.py '$(ONLY)'

test-page: $(B)/http.elf $(B)/hello.elf | bed-tools
	@tools/host-packages.sh page
	@tests/page/run.py '$(ONLY)'

test-libc: $(B)/libc-test.elf | bed-tools
	@tests/libc/run.sh

# Other people's test programs are compiled as an app's files are, but with no header of the machine's.
test-suites: $(B)/hello.elf $(B)/libxenolith.a | bed-tools
	@SUITES_ARCH=$(ARCH) SUITES_LIBRARIES='$(ARCH_LIBRARIES)' \
	 SUITES_CC='$(CC) $(call headers_of,$(CC)) $(INCLUDE) $(filter-out -g,$(CODE))' \
	    tests/suites/run.py $(if $(ONLY),--only '$(ONLY)')

bench: $(foreach app,hello bench bench-threads bench-network http,$(B)/$(app).$(IMAGE_KIND)) $(if $(filter hvm,$(ALLOWED_GUEST)),$(B)/hello.iso $(B)/bench.plain.iso)
	@tools/host-packages.sh $(BED_PACKAGES)
	@tools/bench.py --arch $(ARCH) --xen $(XEN) $(if $(ONLY),--only '$(ONLY)') $(if $(COMPARE),--compare '$(COMPARE)')

# make check: each step stamps what it has seen, so a second run looks at changed files only.
CHECK_SRC    := $(filter %.c,$(KERNEL_SRC) $(LIBC_SRC) $(NET_SRC)) $(wildcard apps/*/*.c)
CLANG        := clang
CLANG_CODE    = $(filter-out -fsplit-stack -fno-tree-loop-distribute-patterns,$(CODE)) \
                $(call headers_of,$(CLANG)) $(INCLUDE) $(LWIP_INCLUDE)
CHECK_STAMPS := $(CHECK_SRC:%=build/check/clang/%.o) $(CHECK_SRC:%=build/check/analyse/%.ok)

build/check/clang/%.o: % | $(HEADERS) build/lwip-source/stamp
	@mkdir -p $(@D)
	@$(CLANG) $(CLANG_CODE) $(WARN) -MMD -MP -c $< -o $@

build/check/analyse/%.ok: % | $(HEADERS) build/lwip-source/stamp
	@mkdir -p $(@D)
	@$(CLANG) $(CLANG_CODE) -MMD -MP -MT $@ -MF $(@:.ok=.d) -E $< -o /dev/null
	@$(CLANG) --analyze -Xclang -analyzer-output=text -Xclang -analyzer-werror $(CLANG_CODE) $< -o /dev/null
	@: >$@

check: check-tools
	@$(MAKE) --no-print-directory --jobs=$(JOBS) --output-sync check-format check-layers check-scripts all $(CHECK_STAMPS)
	@echo "check: formatting, floors, scripts, gcc, clang and the static analyser have nothing to say"

check-tools:
	@tools/host-packages.sh build
	@tools/host-packages.sh check

check-format: | check-tools
	@git ls-files '*.[ch]' | xargs clang-format --dry-run -Werror
	@echo "check: clang-format: $$(git ls-files '*.[ch]' | wc -l) files"

check-layers:
	@tools/layers.py

# What scripts only say when they come there: a name that nobody defines, an argument too few.
check-scripts: | check-tools
	@git ls-files '*.sh' .ci tools/bed/dom0 | xargs shellcheck -s dash -S error
	@PYTHONPATH=tools/bed:tools/bench pylint -E -d no-member tools/*.py tools/bed/*.py tools/bench/*.py
	@for folder in tests/bed tests/image tests/page tests/xen tests/suites; do \
	    (cd $$folder && PYTHONPATH=../../tools:../../tools/bed pylint -E -d no-member *.py) || exit 1; \
	done
	@echo "check: shellcheck, pylint: $$(git ls-files '*.sh' '*.py' | wc -l) scripts"

-include $(shell find build/check -name '*.d' 2>/dev/null)

# --- installing --------------------------------------------------------------------------------------------

# What a Xen host needs to start programs, with APP as the one that it starts by default.
PREFIX    ?= /usr/local
INSTALLED := $(DESTDIR)$(PREFIX)
.PHONY: install uninstall
install: $(IMAGE)
	@install -d "$(INSTALLED)/bin" "$(INSTALLED)/share/xenolith" "$(INSTALLED)/share/man/man1" "$(INSTALLED)/lib/xenolith"
	@install tools/xen-single-kernel.sh "$(INSTALLED)/bin"
	@install tools/iso.sh tools/make_cfg.sh "$(INSTALLED)/share/xenolith"
	@install -m 644 tools/xl/*.cfg.in "$(INSTALLED)/share/xenolith"
	@install -m 644 docs/xen-single-kernel.sh.1 "$(INSTALLED)/share/man/man1"
	@install -m 644 $(IMAGE) "$(INSTALLED)/lib/xenolith"
	@ln -sf $(APP_NAME).elf "$(INSTALLED)/lib/xenolith/default.elf"
	@echo "install: $(INSTALLED)/bin/xen-single-kernel.sh starts $(APP_NAME), or what it is told"

uninstall:
	@rm -rf "$(INSTALLED)/share/xenolith" "$(INSTALLED)/lib/xenolith"
	@rm -f "$(INSTALLED)/bin/xen-single-kernel.sh" "$(INSTALLED)/share/man/man1/xen-single-kernel.sh.1"

# The same as a test takes it to dom0.
$(B)/hello.installed.tar: $(B)/hello.elf $(wildcard tools/*.sh tools/xl/*) docs/xen-single-kernel.sh.1
	@rm -rf $(B)/installed
	@$(MAKE) -s --no-print-directory install APP=hello DESTDIR=$(CURDIR)/$(B)/installed PREFIX=/usr/local >/dev/null
	@tar cf $@ -C $(B)/installed usr

# --- housekeeping --------------------------------------------------------------------------------------------

clean:
	@rm -rf $(B)/obj $(B)/*.elf $(B)/*.iso $(B)/*.cfg $(B)/libxenolith.a build/host build/fuzz $(TEST_LOGS)

distclean:
	@rm -rf build

define HELP
Xenolith: C programs as Xen domains.

  make run        build APP, create it as a domain with xl, show its console
                  (on a test bed with a real Xen; on a Xen host with the machine's own)
  make test       every test; the last line is "N passed, N failed"
                  its parts: test-host (fake Xen), test-image, test-iso, test-lwip, fuzz-short, test-libc, test-bed, test-page (a browser),
                  test-x86 (on a real Xen, each test on one version), test-arm64, test-arm32
  make test-xen   every test of ARCH's domains on every Xen that runs them; an hour
  make test-suites  other people's test suites, unmodified, in domains: POSIX, Concurrency Kit, newlib
  make soak       long tests on the real Xen: a hundred boots with each number of vCPUs
  make            images of every app, $(B)/APP.elf, their configurations for xl, and CDs for HVM, APP.iso
  make shell      a shell in the bed's dom0, the images in /scenario
  make debug      create APP paused, with gdb attached
  make bench      the benchmark table, beside a Linux domU; also build/bench.json
                  (COMPARE=old.json: what got more than 3 % worse since)
  make check      formatting, include floors, scripts, gcc and clang warnings, static analysis
  make fuzz       long fuzzing (FUZZ_SECONDS each)
  make install    the wrapper xen-single-kernel.sh, its man page and APP below PREFIX=/usr/local (DESTDIR= in front);
                  make uninstall takes them away
  make clean      what was built; make distclean: downloads, newlib and beds too

  APP=http        a folder in apps/ ($(APPS)), or any folder by path
  GUEST=pv        $(ALLOWED_GUEST) (hvm: by GRUB, from $(B)/APP.iso)
  ARCH=x86_64     $(ALLOWED_ARCH)
  XEN=4.17        the bed's version: $(ALLOWED_XEN)
  MEMORY=32       MiB (GUEST=hvm: 64)
  VCPUS=1         vCPUs of the domain
  PORT=8080       of this machine, leads to port 80 of the domain; 7007:7 to another one
                  (make run on the bed; without it only APP=http has a port, 8080)
  ARGS="..."      the program's arguments; kernel options first: $(KERNEL_OPTIONS)
  ONLY=pattern    picks tests
  DEBUG=1         checks the order of locks and who sleeps; built in $(dir $(B))debug-$(ARCH)
endef
KERNEL_OPTIONS := -loglevel= -events= -stack= -uart= -net= -net-off= -net-memory= -net-connections= -ip=
export HELP
help:
	@echo "$$HELP"
