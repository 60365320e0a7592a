# SPDX-License-Identifier: MIT
# apps/selftest with vCPUs that run at the same time: races that taking turns does not show.
# needs: selftest
# limit: 560
# clock: multi
# arch: x86_64 arm64 arm32

. /scenario/tap.sh

test_selftest_4_vcpus() { tap vcpus=4; }
