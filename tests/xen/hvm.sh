# SPDX-License-Identifier: MIT
# HVM domains, started by SeaBIOS and GRUB from the CD that the build makes; slow, as all of a PC is emulated
# inside of the emulation. So each test asks more than one thing of its domain, and what has nothing to do with GRUB starts
# by kernel=, which is quicker.
# needs: hello unprobed features echo.iso vcpus.watch.mb2.iso crash.text.iso files.modules.iso files.modules.mb2.iso multiboot_dma.bin
# limit: 290
# xen: 4.17 4.20
# each_xen: hvm_hello_by_kernel

# Typed into the serial port and into the PV console, it comes back on both; what was typed before there was anybody to
# read it is not lost; xl shutdown. This domain has a screen.
test_hvm_serial_port_is_a_console() {
    boot_hvm echo.iso "serial=['pty']" 'vga="cirrus"'
    wait_for 20 has_serial || fail "no serial port"
    cat "$(serial_tty)" >typed_back &
    printf 'by wire\r' >"$(serial_tty)"
    says "echo: by wire" 200
    printf 'by wire again\r' >"$(serial_tty)"
    says "echo: by wire again"
    send_console "$domain" "by ring"
    says "echo: by ring"
    wait_for 5 grep -q "echo: by ring" typed_back || fail "not on the serial port: $(cat typed_back)"
    xl shutdown -w "$domain" || fail "xl shutdown: exit status $?"
    says "echo: exit(0): poweroff"
    ends poweroff
}

serial_tty() { xenstore-read "/local/domain/$(xl domid "$domain")/serial/0/tty"; }
has_serial() { [ -c "$(serial_tty)" ]; }

# hvm APP [LINE...]
hvm() { boot "$@" 'type="hvm"'; }

# vCPUs that hvmloader has used before us start (from Xen 4.19 on they need an INIT first), come and go; xl reboot.
test_hvm_vcpu_set_and_reboot() {
    boot_hvm vcpus.watch.mb2.iso vcpus=4 'on_reboot="destroy"'
    says "online: 0 1 2 3" 200
    for wanted in 1 4 2; do
        xl vcpu-set --ignore-host "$domain" "$wanted" || fail "xl vcpu-set $wanted"
        wait_for 60 down_vcpus $((4 - wanted)) || fail "not $wanted vCPUs up: $(xl vcpu-list "$domain")"
    done
    xl reboot "$domain" || fail "xl reboot: exit status $?"
    ends reboot
    says_line '^all workers worked in [1-9]'
    says_not stuck
    console_lines | grep '^online:' >console
    tr -d '\r' <"/tmp/$domain.serial" | grep '^online:' >wire
    expect "online: on the serial port" "$(cat wire)" "$(cat console)"
}

test_hvm_text_is_read_only() {
    boot_hvm crash.text.iso
    ends crash 200
    says "panic: page fault: write to read-only text"
    says_line "#[01] .*+0x"
}

# Nobody probes the stack here: its guard page faults, and the report has a stack of its own.
test_hvm_stack_overflow_unprobed() {
    hvm unprobed
    says "goes down on Enter" 200
    send_console "$domain" ""
    ends crash
    says "panic: stack overflow in thread main"
}

test_hvm_features_are_on() {
    hvm features vcpus=4
    ends poweroff 200
    for vcpu in 0 1 2 3; do
        says_line "^vCPU $vcpu: WP NXE SMEP SMAP UMIP\$"
    done
    says_line '^memory: \([1-9][0-9]*\) of \1 blocks of 2 MiB'
}

test_hvm_hello_by_kernel() {
    hvm hello memory=16 'extra="-uart=io:0x3f8 one two"'
    says "hello: exit(0): poweroff" 60
    ends poweroff
    says_line '^guest: *hvm on Xen'
    says_line '^argv\[1\]: one$'
    console_lines >console
    tr -d '\r' <"/tmp/$domain.serial" | cmp - console || fail "the serial port has something else"
}

# Three modules: a tar archive, a cpio archive that has a place, and a file.
modules() {
    boot_hvm "$1"
    says "files: exit(0): poweroff" 280
    ends poweroff
    sum=$(crc32 </scenario/check.sh)
    for path in /dom0 /some/place/dom0; do
        says_line "^$path/check.sh 1006[0-9]* $(wc -c </scenario/check.sh) $sum\$"
    done
    says_line "^/etc/check 100444 $(wc -c </scenario/check.sh) $sum\$"
    says_line '^0 checks failed$'
    says_not error:
}

test_hvm_modules_multiboot_1() { modules files.modules.iso; }
test_hvm_modules_multiboot_2() { modules files.modules.mb2.iso; }
