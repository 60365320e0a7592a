# SPDX-License-Identifier: MIT
# apps/selftest as an HVM domain: the file that PV and PVH domains get, by both versions of multiboot.
# needs: selftest.iso selftest.mb2.iso
# limit: 850
# xen: 4.17 4.20

. /scenario/tap.sh

tap_limit=800

test_selftest_hvm_multiboot_1() { tap_of boot_hvm selftest.iso; }
test_selftest_hvm_multiboot_2_4_vcpus() { tap_of boot_hvm selftest.mb2.iso vcpus=4; }
