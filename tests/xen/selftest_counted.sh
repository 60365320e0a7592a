# SPDX-License-Identifier: MIT
# apps/selftest on the machine that counts instructions: one physical CPU, where vCPUs take turns at any
# point and time does not depend on what else the developer's machine does.
# needs: selftest
# limit: 550
# xen: 4.17
# clock: counted
# arch: x86_64 arm64 arm32
# not_x86: selftest_4_vcpus_taking_turns selftest_8_vcpus
# short: selftest_4_vcpus_taking_turns
# short_gic2: selftest_4_vcpus_taking_turns
# short_xen32: selftest_4_vcpus_taking_turns

. /scenario/tap.sh

test_selftest_2_vcpus() { tap vcpus=2; }
test_selftest_4_vcpus_taking_turns() { tap vcpus=4; }
test_selftest_8_vcpus() { tap vcpus=8; }
