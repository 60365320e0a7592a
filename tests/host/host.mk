# SPDX-License-Identifier: MIT
#
# Host tests, included by the Makefile: every tests/host/test_*.c becomes a program, linked with the portable
# parts of the kernel and the fakes, built by each compiler under the address and undefined-behaviour sanitizers.
#
#   make test-host                  all of it; the last line is "N passed, N failed"
#   make test-host ONLY=fifo        only tests whose "file/name" contains that
#   make test-host HOST_CC=gcc      one compiler only
#
# A part that does not compile here is left out of the archive: only the tests that need it fail.

HOST_CC     ?= gcc clang
HOST_DIRS   := lib mm events grant kernel console xenbus pci control netfront rtl8139
HOST_SRC    := $(wildcard $(addsuffix /*.c,$(HOST_DIRS))) net/bytes.c net/netbuf.c net/netdev.c x86/pv/grant.c \
               libc/archive.c libc/archive_cpio.c libc/archive_tar.c libc/tree.c libc/tree_fill.c \
               boot/loaded.c boot/memory.c boot/multiboot.c boot/pvh.c apps/http/request.c
HOST_FAKES  := $(wildcard tests/host/fake_*.c) tests/host/test.c
HOST_TESTS  := $(wildcard tests/host/test_*.c)
HOST_CFLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer -fno-common -pthread -D_GNU_SOURCE \
               -Wall -Wextra -Werror -Itests/host/include -I. \
               -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ \
               -fsanitize=address,undefined -fno-sanitize-recover=all

# $(1): compiler. Each file is made beside its place and moved there whole, so that two makes at once do no harm.
define host_rules
build/host/$(1)/%.o: %.c
	@mkdir -p $$(@D); new=$$@.$$$$$$$$; \
	$(1) $$(HOST_CFLAGS) -MMD -MP -MT $$@ -MF $$(@:.o=.d) -c $$< -o $$$$new && mv -f $$$$new $$@ || \
	    { rm -f $$$$new $$@; echo "host: $(1) does not build $$<"; }

build/host/$(1)/fakes.a: $(HOST_FAKES:%.c=build/host/$(1)/%.o)
build/host/$(1)/parts.a: $(HOST_SRC:%.c=build/host/$(1)/%.o)
build/host/$(1)/fakes.a build/host/$(1)/parts.a:
	@new=$$@.$$$$$$$$; ar rcs $$$$new $$$$(ls $$^ 2>/dev/null) && mv -f $$$$new $$@

# The fakes come first, and again for what the parts want of them.
build/host/$(1)/test_%: build/host/$(1)/tests/host/test_%.o build/host/$(1)/fakes.a \
                        build/host/$(1)/parts.a
	@new=$$@.$$$$$$$$; \
	$(1) $$(HOST_CFLAGS) -o $$$$new $$^ build/host/$(1)/fakes.a build/host/$(1)/parts.a && \
	    mv -f $$$$new $$@ || { rm -f $$$$new $$@; echo "host: $(1) does not link $$@"; }

HOST_PROGRAMS += $(HOST_TESTS:tests/host/%.c=build/host/$(1)/%)
endef
$(foreach cc,$(HOST_CC),$(eval $(call host_rules,$(cc))))

# Under ThreadSanitizer, each a program of its own: vCPUs are pthreads. (gcc's knows no fences.)
TSAN_PROGRAMS := $(patsubst tests/host/%.c,build/host/tsan/%,$(wildcard tests/host/tsan_*.c))
HOST_PROGRAMS += $(TSAN_PROGRAMS)
$(TSAN_PROGRAMS): build/host/tsan/%: tests/host/%.c
	@mkdir -p $(@D); new=$@.$$$$; \
	clang $(filter-out -fsanitize=% -fno-sanitize-recover=%,$(HOST_CFLAGS)) -fsanitize=thread -MMD -MP -MT $@ \
	    -MF $@.d -o $$new $< && mv -f $$new $@ || { rm -f $$new $@; echo "host: clang does not build $<"; }

.PHONY: test-host
.SECONDARY: $(foreach cc,$(HOST_CC),$(patsubst %.c,build/host/$(cc)/%.o,$(HOST_SRC) $(HOST_FAKES) $(HOST_TESTS)))
test-host: $(HOST_PROGRAMS)
	@tests/host/run.sh "$(ONLY)" $(HOST_PROGRAMS)

-include $(wildcard build/host/tsan/*.d build/host/*/*/*.d build/host/*/tests/host/*.d)
