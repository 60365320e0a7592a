# SPDX-License-Identifier: MIT
# A hundred boots in HVM with each number of vCPUs, by kernel=, as GRUB takes twice as long: every one arrives, every time.
# needs: hello multiboot_dma.bin
# limit: 3600
# xen: 4.17 4.20
# soak: yes

. /scenario/boots.sh

test_boots_hvm_1() { boots 1 'type="hvm"'; }
test_boots_hvm_2() { boots 2 'type="hvm"'; }
test_boots_hvm_4() { boots 4 'type="hvm"'; }
test_boots_hvm_8() { boots 8 'type="hvm"'; }
test_boots_hvm_16() { boots 16 'type="hvm"'; }
test_boots_hvm_32() { boots 32 'type="hvm"'; }
test_boots_hvm_33() { boots 33 'type="hvm"'; }
test_boots_hvm_64() { boots 64 'type="hvm"'; }
