# SPDX-License-Identifier: MIT
# apps/selftest as a PVH domain.
# needs: selftest
# limit: 550
# xen: 4.17 4.20

. /scenario/tap.sh

test_selftest_pvh() { tap 'type="pvh"'; }
test_selftest_pvh_2l() { tap 'type="pvh"' 'extra="-events=2l"'; }
test_selftest_pvh_4_vcpus() { tap 'type="pvh"' vcpus=4; }
