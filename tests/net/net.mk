# SPDX-License-Identifier: MIT
#
# TCP/IP on the host, included by the Makefile: net/ and lwIP with the kernel and the devices of tests/net/world.h,
# under the address and undefined-behaviour sanitizers. Every tests/net/test_*.c becomes a program, run with the
# other host tests.

WORLD       := build/world
WORLD_CODE  := clang -std=gnu11 -O1 -g -fno-omit-frame-pointer -D_GNU_SOURCE -Itests/host/include -I. -iquote include -Inet/lwip \
               -isystem $(LWIP)/include -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ \
               -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
# What programs call, and netdev.c, whose part the world plays, stay out.
WORLD_SRC   := $(filter-out net/api.c net/ifname.c net/netdb.c net/netdev.c,$(wildcard net/*.c)) \
               tests/net/kernel.c tests/net/world.c tests/net/peer.c lib/log.c lib/format.c lib/error_name.c lib/spinlock.c
WORLD_OBJ   := $(WORLD_SRC:%=$(WORLD)/%.o) $(patsubst %,$(WORLD)/lwip/%.o,$(filter-out apps/%,$(LWIP_NAMES)))
WORLD_TESTS := $(patsubst tests/net/%.c,$(WORLD)/%,$(wildcard tests/net/test_*.c))

$(WORLD)/%.c.o: %.c $(LWIP_CONFIG) build/lwip-source/stamp
	@mkdir -p $(@D)
	@$(WORLD_CODE) -Wall -Wextra -Werror -MMD -MP -c $< -o $@

$(WORLD)/lwip/core/tcp_out.o: private HOOKS := $(LWIP_HOOKS)
# lwIP adds to pointers that are NULL and shifts into signs; the address sanitizer is what is wanted of it.
$(WORLD)/lwip/%.o: build/lwip-source/stamp $(LWIP_CONFIG)
	@mkdir -p $(@D)
	@$(WORLD_CODE) -fno-sanitize=undefined $(HOOKS) $(LWIP_FIXES) -w -c $(LWIP)/$*.c -o $@

$(WORLD)/world.a: $(WORLD_OBJ)
	@rm -f $@ && ar rcs $@ $^

# core.c has the start before main(), which nobody refers to.
WORLD_LINK  := clang -fsanitize=address,undefined -Wl,--whole-archive $(WORLD)/world.a -Wl,--no-whole-archive
$(WORLD_TESTS): $(WORLD)/test_%: $(WORLD)/tests/net/test_%.c.o $(WORLD)/tests/host/test.c.o $(WORLD)/world.a
	@$(WORLD_LINK) $(filter %.o,$^) -o $@

HOST_PROGRAMS += $(WORLD_TESTS)
.SECONDARY: $(WORLD_OBJ) $(WORLD_TESTS:$(WORLD)/%=$(WORLD)/tests/net/%.c.o) $(WORLD)/tests/host/test.c.o

-include $(wildcard $(WORLD)/*/*.d $(WORLD)/*/*/*.d)
