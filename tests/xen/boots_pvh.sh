# SPDX-License-Identifier: MIT
# A hundred boots in PVH with each number of vCPUs: every one arrives, every time.
# needs: hello
# limit: 3600
# xen: 4.17 4.20
# soak: yes

. /scenario/boots.sh

test_boots_pvh_1() { boots 1 'type="pvh"'; }
test_boots_pvh_2() { boots 2 'type="pvh"'; }
test_boots_pvh_4() { boots 4 'type="pvh"'; }
test_boots_pvh_8() { boots 8 'type="pvh"'; }
test_boots_pvh_16() { boots 16 'type="pvh"'; }
test_boots_pvh_32() { boots 32 'type="pvh"'; }
test_boots_pvh_33() { boots 33 'type="pvh"'; }
test_boots_pvh_64() { boots 64 'type="pvh"'; }
test_boots_pvh_100() { boots 100 'type="pvh"'; }
