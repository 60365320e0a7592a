# SPDX-License-Identifier: MIT
# The wrapper as it is installed on a Xen host, where there is nothing else of ours.
# needs: hello.installed.tar files
# limit: 60

# started ARGUMENT...: by the wrapper
started() {
    tar xf /scenario/hello.installed.tar -C /
    mkdir -p /run/away
    cd /run/away || fail "no folder"
    echo "$domain" >>/run/test/domains
    /usr/local/bin/xen-single-kernel.sh -d "$domain" "$@" || fail "the wrapper: exit status $?"
}

test_wrapper_pv() {
    started -t pv -m 64 -c 2 -- one "two words"
    says "hello: exit(0): poweroff"
    ends poweroff
    says_line '^argv\[2\]: two words$'
    says_line '^vCPUs: *2, 2 up$'
    says_line "^guest: *pv on Xen"
}

test_wrapper_pvh() {
    started -t pvh -b xenbr0 -k /usr/local/lib/xenolith/hello.elf
    says "hello: exit(0): poweroff"
    ends poweroff
    says_line "^guest: *pvh on Xen"
    says_line '^memory: *102[0-9]'
}

# An application that is an archive, for a kernel that is named.
test_wrapper_module() {
    started -t pv -m 32 -l /scenario/files.elf -k /scenario/hello.installed.tar
    says "files: exit(0): poweroff" 40
    ends poweroff
    says_line "^/usr/local/lib/xenolith/default.elf -> hello.elf$"
    says_line "^/usr/local/lib/xenolith/hello.elf 100644 $(wc -c </usr/local/lib/xenolith/hello.elf) $(crc32 </usr/local/lib/xenolith/hello.elf)\$"
    says_line '^0 checks failed$'
}

test_wrapper_hvm_without_grub() {
    mkdir -p /run/away
    cd /run/away || fail "no folder"
    tar xf /scenario/hello.installed.tar -C /
    ! /usr/local/bin/xen-single-kernel.sh >said 2>&1 || fail "it succeeds"
    grep -q "there is no grub-mkrescue on this machine" said || fail "it says: $(cat said)"
}
