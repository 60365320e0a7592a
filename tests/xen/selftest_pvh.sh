# SPDX-License-Identifier: MIT
# apps/selftest as a PVH domain.
# needs: selftest
# limit: 550
# xen: 4.17 4.20

. /scenario/tap.sh

test_selftest_pvh() { tap 'type="pvh"'; }
test_selftest_pvh_2l() { skip "it does not end with two-level events"; }
