# SPDX-License-Identifier: MIT
# The same files as PVH domains: every size of memory, many vCPUs, what a crash says, what the toolstack asks.
# needs: hello crash vcpus vcpus.lost.elf unprobed features
# limit: 120
# xen: 4.17 4.20

boot_pvh() {
    local app=$1
    shift
    boot "$app" 'type="pvh"' "$@"
}

# Its size, less what the image and Xen's pages take.
size() {
    boot_pvh hello "memory=$1"
    says "hello: exit(0): poweroff" 30
    ends poweroff 30
    says_line "^guest: *pvh on Xen $(xl info xen_version)"
    says_not error:
    kib=$(console_lines | awk '/^memory:/ { print int($2 * 1024) }')
    [ "${kib:-0}" -gt $(($1 * 1024 - 512)) ] && [ "$kib" -le $(($1 * 1024)) ] ||
        fail "of $1 MiB the domain sees $kib KiB"
    note "$(console_lines | awk '/^memory:/ { print $4 }') MiB free"
}

test_pvh_memory_2() { size 2; }
test_pvh_memory_3() { size 3; }
test_pvh_memory_4() { size 4; }
test_pvh_memory_32() { size 32; }
test_pvh_memory_1024() { size 1024; }
test_pvh_memory_4096() { size 4096; }      # also above 4 GiB

up() {
    boot_pvh hello "vcpus=$1" memory=64
    all_up "$1"
}

test_pvh_vcpus_2() { up 2; }
test_pvh_vcpus_4() { up 4; }
test_pvh_vcpus_8() { up 8; }
test_pvh_vcpus_16() { up 16; }
test_pvh_vcpus_32() { up 32; }
test_pvh_vcpus_33() { up 33; }
test_pvh_vcpus_64() { up 64; }
test_pvh_vcpus_100() { up 100; }

# crashes WITH REASON [FUNCTION]: the program's last words begin with the reason, and show where.
crashes() {
    boot_pvh crash "extra=\"$1\""
    ends crash
    says "panic: $2"
    says_line "#[01] .*+0x"
}

test_pvh_null_pointer() { crashes null "null pointer dereference (write"; }
test_pvh_jump_to_null() { crashes jump-null "null pointer dereference (execute"; }
test_pvh_text_is_read_only() { crashes text "page fault: write to read-only text"; }
test_pvh_rodata_is_read_only() { crashes rodata "page fault: write to read-only data"; }
test_pvh_data_not_executable() { crashes execute-data "page fault: execute of no-execute memory"; }
test_pvh_heap_not_executable() { crashes execute-heap "page fault: execute of no-execute memory"; }
test_pvh_stack_not_executable() { crashes execute-stack "page fault: execute of no-execute memory"; }
test_pvh_stack_overflow() { crashes stack "stack overflow in thread main"; }
test_pvh_thread_stack_overflow() { crashes thread-stack "stack overflow in thread "; }
test_pvh_invalid_opcode() { crashes invalid "invalid opcode"; }
test_pvh_divide_by_zero() { crashes divide "divide error"; }

test_pvh_nested_panic() {
    boot_pvh crash 'extra="nested"'
    ends crash
    says "panic during the panic: null pointer dereference (read at 0x8)"
}

# What the bed's CPU has of these, every vCPU uses; and all memory is mapped by large pages.
test_pvh_features_are_on() {
    boot_pvh features vcpus=4 memory=64
    ends poweroff
    for vcpu in 0 1 2 3; do
        says_line "^vCPU $vcpu: WP NXE SMEP SMAP UMIP\$"
    done
    says_line '^memory: \([1-9][0-9]*\) of \1 blocks of 2 MiB'
}

# Nobody probes the stack here: the fault's frame finds no room, and what follows has a stack of its own.
test_pvh_stack_overflow_unprobed() {
    boot_pvh unprobed
    says "goes down on Enter"
    send_console "$domain" ""
    ends crash
    says "panic: stack overflow in thread main"
}

sleeps() {
    boot_pvh crash 'extra="sleep"' "$@"
    says sleeping
}

test_pvh_xl_shutdown() {
    sleeps
    xl shutdown -w "$domain" || fail "xl shutdown: exit status $?"
    says "crash: exit(0): poweroff"
    ends poweroff
}

test_pvh_xl_reboot() {
    sleeps 'on_reboot="destroy"'
    xl reboot "$domain" || fail "xl reboot: exit status $?"
    ends reboot
    says "crash: exit(0): reboot"
}

test_pvh_vcpu_set() {
    boot_pvh vcpus 'extra="watch"' vcpus=4
    says "online: 0 1 2 3"
    for wanted in 1 4 2 3; do
        xl vcpu-set --ignore-host "$domain" "$wanted" || fail "xl vcpu-set $wanted"
        wait_for 60 down_vcpus $((4 - wanted)) || fail "not $wanted vCPUs up: $(xl vcpu-list "$domain")"
    done
    xl shutdown -w "$domain"
    says_line '^all workers worked in [1-9]'
    says_not stuck
    ends poweroff
}

# Started by Xen and never heard of: named within a second.
test_pvh_lost_vcpus_are_named() {
    boot_pvh vcpus.lost 'extra="watch"' vcpus=3
    says "vCPU 1 did not arrive within a second; going on without it" 30
    says "vCPU 2 did not arrive within a second; going on without it" 1
    says "online: 0"
    xl shutdown -w "$domain"
    says_line '^all workers worked in [1-9]'
    ends poweroff
}

test_pvh_panic_shows_every_vcpu() {
    boot_pvh vcpus 'extra="panic"' vcpus=4
    ends crash
    console_lines | grep -A100 'panic: ' >report
    expect "vCPUs shown" "$(grep -c 'vCPU [0-3], thread ' report)" 4
    expect "vCPUs shown computing" "$(grep -c '  #[0-9]* computing+0x' report)" 3
}

# A line of output is an event, typed input another; blocked, it uses no time.
test_pvh_idle_uses_no_time() {
    sleeps
    sleep 1
    before=$(cpu_ms)
    sleep 5
    used=$(($(cpu_ms) - before))
    [ "$used" -le 50 ] || fail "$used ms of CPU time in 5 s of idling"
}
