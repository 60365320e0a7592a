# SPDX-License-Identifier: MIT
# The first program, by the configuration file that comes with it; and in domains of every size.
# needs: hello hello.cfg
# limit: 60
# arch: x86_64 arm64 arm32
# xen: 4.14 4.17 4.20
# not_arm: memory_3 memory_4096
# short: hello_shipped_cfg memory_4 memory_1024
# short_gic2: hello_shipped_cfg
# short_xen32: hello_shipped_cfg memory_1024
# each_xen: hello_shipped_cfg memory_32 memory_1024

# The file as it was made: the image lies where the file says.
test_hello_shipped_cfg() {
    domain=hello
    kernel=$(sed -n 's/^kernel = "\(.*\)"/\1/p' hello.cfg)
    mkdir -p "${kernel%/*}"
    ln -s /scenario/hello.elf "$kernel"
    echo hello >>/run/test/domains
    xl create hello.cfg || fail "xl create hello.cfg: exit status $?"
    says "hello: exit(0): poweroff"
    ends poweroff
    says_line '^Hello$'
    says_line "^domain: *[0-9]* hello [0-9a-f]*-[0-9a-f]*"
    says_line "^guest: *$guest on Xen $(xl info xen_version)"
    says_line '^vCPUs: *1, 1 up$'
    says_not xenstore:
}

# Reports its size, less half a MiB that Xen keeps and, in PV, the list of its frames (8 bytes a page).
size() {
    boot hello "memory=$1"
    says "hello: exit(0): poweroff" 30
    ends poweroff 30
    kib=$(console_lines | awk '/^memory:/ { print int($2 * 1024) }')
    [ "${kib:-0}" -gt $(($1 * 1024 - $1 * 2 - 512)) ] && [ "$kib" -le $(($1 * 1024)) ] ||
        fail "of $1 MiB the domain sees $kib KiB"
    free=$(console_lines | awk '/^memory:/ { print $4 }')
    awk "BEGIN { exit !($free > $kib / 1024 - 1) }" || fail "only $free MiB are free in main"
    note "$free MiB free"
}

test_memory_3() { size 3; }
test_memory_4() { size 4; }
test_memory_8() { size 8; }
test_memory_32() { size 32; }
test_memory_256() { size 256; }
test_memory_1024() { size 1024; }
test_memory_4096() { size 4096; }
