# SPDX-License-Identifier: MIT
# A hundred boots with each number of vCPUs: every one arrives, every time.
# needs: hello
# limit: 1800
# xen: 4.17 4.20
# soak: yes
# arch: x86_64 arm64 arm32
# not_arm: boots_32 boots_33 boots_64
# not_gic2: boots_16

. /scenario/boots.sh

test_boots_1() { boots 1; }
test_boots_2() { boots 2; }
test_boots_3() { boots 3; }
test_boots_4() { boots 4; }
test_boots_8() { boots 8; }
test_boots_16() { boots 16; }
test_boots_32() { boots 32; }
test_boots_33() { boots 33; }
test_boots_64() { boots 64; }
