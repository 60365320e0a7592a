# SPDX-License-Identifier: MIT
# HVM domains, started by SeaBIOS and GRUB from the CD that the build makes; slow, as all of a PC is emulated
# inside of the emulation.
# needs: hello.iso hello.mb2.iso files.modules.iso files.modules.mb2.iso
# limit: 290
# xen: 4.17 4.20

# boot_hvm ISO [LINE...]: the recipe's configuration.
boot_hvm() {
    local iso=$1
    shift
    echo "$domain" >>/run/test/domains
    {
        printf '%s\n' 'type="hvm"' "name=\"$domain\"" "disk=['file:/scenario/$iso,hdc:cdrom,r']" nographic=1 \
            "serial=['file:/tmp/$domain.serial']" 'tsc_mode="native"' memory=64 'on_poweroff="destroy"' \
            'on_crash="destroy"' "$@"
    } >"/run/$domain.cfg"
    xl create "/run/$domain.cfg" || fail "xl create $domain: exit status $?"
}

# The same on the serial port and on the PV console.
starts() {
    boot_hvm "$@"
    says "hello: exit(0): poweroff" 280
    ends poweroff
    says_line "^guest: *hvm on Xen $(xl info xen_version)"
    console_lines | grep '^domain:' >console
    tr -d '\r' <"/tmp/$domain.serial" | grep '^domain:' >serial
    expect "domain: on the serial port" "$(cat serial)" "$(cat console)"
}

test_hvm_multiboot_1() {
    starts hello.iso
    says_line '^vCPUs: *1, 1 up$'
}

test_hvm_multiboot_2_4_vcpus() {
    starts hello.mb2.iso vcpus=4
    says_line '^vCPUs: *4, 4 up$'
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
