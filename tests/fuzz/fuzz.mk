# SPDX-License-Identifier: MIT
#
# Fuzzing with libFuzzer, included by the Makefile: every tests/fuzz/fuzz_*.c is one fuzzer.
#
#   make fuzz-short                 half a minute, (nearly) the same inputs each time; part of `make test`
#   make fuzz FUZZ_SECONDS=600      long; what it finds new is kept in build/fuzz/corpus
#   make fuzz ONLY=console          one of them
#
# An input that fails is written to build/fuzz/; `build/fuzz/fuzz_NAME FILE` runs it again.

FUZZ_SECONDS ?= 600
FUZZ_RUNS    ?= 40000
FUZZ_NAMES   := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*$(ONLY)*.c))
FUZZ_PARTS   := tests/fuzz/guest.c lib/log.c lib/format.c lib/error_name.c lib/cmdline.c lib/spinlock.c
FUZZ_CFLAGS  := -std=gnu11 -O1 -g -Wall -Wextra -Werror -D_GNU_SOURCE -Itests/host/include -I. -isystem $(HOST_LIBFDT)/usr/include \
                -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ \
                -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

# Parts that cannot be included one after the other.
FUZZ_NETFRONT := $(wildcard netfront/*.c tests/fuzz/netfront_*.c) net/netbuf.c net/netdev.c xenbus/device.c xenbus/store.c
FUZZ_LOADER   := boot/loaded.c boot/memory.c boot/multiboot.c boot/pvh.c
build/fuzz/fuzz_netfront: $(FUZZ_NETFRONT:%.c=build/fuzz/%.o)
FUZZ_RTL8139  := rtl8139/chip.c rtl8139/life.c rtl8139/rx.c rtl8139/tx.c pci/pci.c net/netbuf.c net/netdev.c
build/fuzz/fuzz_rtl8139: $(FUZZ_RTL8139:%.c=build/fuzz/%.o)
build/fuzz/fuzz_pci: build/fuzz/pci/pci.o
build/fuzz/fuzz_http: build/fuzz/apps/http/request.o

FUZZ_ARCHIVE  := libc/archive.c libc/archive_cpio.c libc/archive_tar.c
build/fuzz/fuzz_archive: $(FUZZ_ARCHIVE:%.c=build/fuzz/%.o)
build/fuzz/fuzz_loader: $(FUZZ_LOADER:%.c=build/fuzz/%.o)

build/fuzz/fuzz_device_tree: build/fuzz/boot/device_tree.o build/fuzz/boot/memory.o $(HOST_LIBFDT)/libfdt.a
$(HOST_LIBFDT)/libfdt.a: $(HOST_LIBFDT)/stamp

build/fuzz/%.o: %.c
	@mkdir -p $(@D)
	@clang $(FUZZ_CFLAGS) -MMD -MP -c $< -o $@

build/fuzz/fuzz_%: build/fuzz/tests/fuzz/fuzz_%.o $(FUZZ_PARTS:%.c=build/fuzz/%.o)
	@clang $(FUZZ_CFLAGS) -o $@ $^

# The whole of TCP/IP, with the kernel of tests/net/net.mk.
build/fuzz/fuzz_net: $(WORLD)/tests/fuzz/fuzz_net.c.o $(WORLD)/world.a
	@mkdir -p $(@D)
	@$(WORLD_LINK) -fsanitize=fuzzer $< -o $@

.PHONY: fuzz fuzz-short
.SECONDARY: $(patsubst %.c,build/fuzz/%.o,$(FUZZ_PARTS) $(FUZZ_NETFRONT) $(FUZZ_RTL8139) $(FUZZ_LOADER) $(FUZZ_ARCHIVE) \
                         $(wildcard tests/fuzz/*.c))
fuzz-short: $(FUZZ_NAMES:%=build/fuzz/%)
	@tests/fuzz/run.sh short $(FUZZ_RUNS) $(FUZZ_NAMES)

fuzz: $(FUZZ_NAMES:%=build/fuzz/%)
	@tests/fuzz/run.sh long $(FUZZ_SECONDS) $(FUZZ_NAMES)

-include $(wildcard build/fuzz/*.d build/fuzz/*/*.d build/fuzz/*/*/*.d)
