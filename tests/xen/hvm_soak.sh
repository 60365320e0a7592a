# SPDX-License-Identifier: MIT
# HVM domains: what takes a boot each, and so is not in tests/xen/hvm.sh.
# needs: selftest.iso selftest.mb2.iso hello.iso crash.null.iso crash.jump-null.iso crash.rodata.iso crash.execute-data.iso crash.execute-heap.iso crash.execute-stack.iso crash.stack.iso crash.thread-stack.iso clock.iso
# limit: 1800
# xen: 4.17 4.20
# soak: yes

. /scenario/tap.sh
. /scenario/clock.sh

tap_limit=1700

test_selftest_hvm_multiboot_1_4_vcpus() { tap_of boot_hvm selftest.iso vcpus=4; }
test_selftest_hvm_multiboot_2() { tap_of boot_hvm selftest.mb2.iso; }

crashes() {
    boot_hvm "crash.$1.iso"
    ends crash 600
    says "panic: $2"
    says_line "#[01] .*+0x"
}

test_hvm_null_pointer() { crashes null "null pointer dereference (write"; }
test_hvm_jump_to_null() { crashes jump-null "null pointer dereference (execute"; }
test_hvm_rodata_is_read_only() { crashes rodata "page fault: write to read-only data"; }
test_hvm_data_not_executable() { crashes execute-data "page fault: execute of no-execute memory"; }
test_hvm_heap_not_executable() { crashes execute-heap "page fault: execute of no-execute memory"; }
test_hvm_stack_not_executable() { crashes execute-stack "page fault: execute of no-execute memory"; }
test_hvm_stack_overflow() { crashes stack "stack overflow in thread main"; }
test_hvm_thread_stack_overflow() { crashes thread-stack "stack overflow in thread "; }

up() {
    boot_hvm hello.iso "vcpus=$1"
    says "hello: exit(0): poweroff" 1200
    all_up "$1"
}

test_hvm_vcpus_2() { up 2; }
test_hvm_vcpus_8() { up 8; }
test_hvm_vcpus_33() { up 33; }
test_hvm_vcpus_100() { up 100; }

time_in() { tells_the_time boot_hvm clock.iso "tsc_mode=\"$1\""; }

test_hvm_time_default() { time_in default; }
test_hvm_time_always_emulate() { time_in always_emulate; }
test_hvm_time_native_paravirt() { time_in native_paravirt; }
