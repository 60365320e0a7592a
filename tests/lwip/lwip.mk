# SPDX-License-Identifier: MIT
#
# lwIP's own unit tests, on the host with our configuration (tests/lwip/lwipopts.h says where it differs).

UNIT       := build/lwip-source/lwip/test/unit
UNIT_DIRS  := core dhcp etharp ip4 ip6 mdns mqtt tcp udp
UNIT_CC    := gcc -w -g -O1 $(LWIP_FIXES) -Itests/lwip -I. -I$(LWIP)/include -I$(UNIT)

.PHONY: test-lwip
test-lwip: build/lwip-source/stamp | test-tools
	@rm -rf build/lwip-test && mkdir -p build/lwip-test/lwip build/lwip-test/unit
	@printf '%s\n' $(foreach d,core core/ipv4 core/ipv6 apps/mdns apps/mqtt,$(LWIP)/$d/*.c) $(LWIP)/netif/ethernet.c | \
	    xargs -P $(JOBS) -I '{}' sh -c '$(UNIT_CC) -c {} -o build/lwip-test/lwip/$$(basename {}).o'
	@printf '%s\n' tests/lwip/host.c net/bytes.c $(UNIT)/lwip_unittests.c $(UNIT_DIRS:%=$(UNIT)/%/*.c) | \
	    xargs -P $(JOBS) -I '{}' sh -c '$(UNIT_CC) -include lwip/opt.h -include lwip/stats.h -include lwip/memp.h -c {} \
	        -o build/lwip-test/unit/$$(basename {}).o'
	@gcc build/lwip-test/lwip/*.o build/lwip-test/unit/*.o -o build/lwip-test/unittests $$(pkg-config --libs check)
	@(cd build/lwip-test && ./unittests >log 2>&1); sed 's|.*/test/unit/||' build/lwip-test/log | grep ':[FE]:'; \
	    sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$$/\1 \2 \3/p' build/lwip-test/log | \
	    awk '{ n += $$1; f += $$2 + $$3 } END { print n - f " passed, " f + (n == 0) " failed"; exit f > 0 || n == 0 }'
