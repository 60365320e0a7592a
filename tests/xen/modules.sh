# SPDX-License-Identifier: MIT
# What xl's ramdisk= brings: archives are trees of files, anything else is a file, and a bad archive says why.
# (HVM, by GRUB: hvm.sh.)
# needs: files
# limit: 60
# arch: x86_64 arm64 arm32
# not_arm: modules_pv_gzip modules_pvh_cpio modules_pvh_tar modules_pvh_file modules_pvh_memory_is_kept modules_pvh_cannot_be_written
# short: modules_pv_cpio
# xen: 4.17 4.20

# A folder `tree` and archives of it.
make_tree() {
    rm -rf tree tree.*
    mkdir -p tree/dir/deep "tree/empty dir"
    echo hello >tree/dir/a
    yes 0123456789abcdef | head -c 300001 >tree/dir/deep/big
    : >tree/empty
    ln -s ../dir/a tree/dir/link
    ln tree/dir/a tree/dir/hard
    chmod 640 tree/dir/a
    (cd tree && find . | cpio -o -H newc >../tree.cpio 2>/dev/null && tar cf ../tree.tar .)
}

# boot_files FILE [LINE...]
boot_files() {
    local module=$1
    shift
    boot files "ramdisk=\"$PWD/$module\"" "$@"
}

sum_of() { crc32 <"$1"; }

# All of make_tree's files, as they are here.
has_tree() {
    says "files: exit(0): poweroff" 40
    ends poweroff
    says_line "^/dir/a 100640 6 $(sum_of tree/dir/a)\$"
    says_line "^/dir/hard 100640 6 $(sum_of tree/dir/a)\$"
    says_line "^/dir/deep/big 100644 300001 $(sum_of tree/dir/deep/big)\$"
    says_line '^/empty 100644 0 00000000$'
    says_line '^/empty dir/ 40755$'
    says_line '^/dir/link -> ../dir/a$'
    says_line '^4 files, 4 directories, 300013 bytes$'
    says_line '^0 checks failed$'
    says_not error:
}

shows_tree() {
    make_tree
    boot_files "$@"
    has_tree
}

test_modules_pv_cpio() { shows_tree tree.cpio; }
test_modules_pv_tar() { shows_tree tree.tar; }
test_modules_pvh_cpio() { shows_tree tree.cpio 'type="pvh"'; }
test_modules_pvh_tar() { shows_tree tree.tar 'type="pvh"' vcpus=2; }

# shows_file FILE SIZE [LINE...]: what FILE here holds
shows_file() {
    local file=$1 size=$2
    shift 2
    boot_files tree/dir/deep/big "$@"
    says "files: exit(0): poweroff"
    ends poweroff
    says_line "^/module0 100444 $size $(sum_of "$file")\$"
    says_line '^1 files, 1 directories, '
    says_line '^0 checks failed$'
}

# PV: Xen tells whole pages only.
test_modules_pv_file() {
    make_tree
    { cat tree/dir/deep/big && head -c $((74 * 4096 - 300001)) /dev/zero; } >padded
    shows_file padded 303104
}

test_modules_pvh_file() {
    make_tree
    shows_file tree/dir/deep/big 300001 'type="pvh"'
}

# Up to 4.19 the domain builder unpacks it, then it is on us to say what it is.
test_modules_pv_gzip() {
    make_tree
    gzip -c tree.cpio >tree.gz
    boot_files tree.gz
    case $(xl info xen_version) in
    4.17*) has_tree ;;
    *)
        says "files: exit(0): poweroff"
        says_line 'module 0 is compressed (gzip): it is the file module0$'
        ;;
    esac
}

# refused WHY
refused() {
    boot_files bad
    says "files: exit(0): poweroff"
    ends poweroff
    says_line "error: module 0, $1"
    says_line '^0 files, 1 directories'
}

test_modules_cpio_truncated() {
    make_tree
    head -c 200000 tree.cpio >bad
    refused 'cpio archive of 200704 bytes at /: at byte [1-9][0-9]*: the data go beyond the end$'
}

test_modules_cpio_leaves_the_tree() {
    make_tree
    (cd tree && echo ../tree/dir/a | cpio -o -H newc >../bad 2>/dev/null)
    refused 'cpio archive of 4096 bytes at /: at byte 0: a path has .. in it$'
}

test_modules_tar_damaged() {
    make_tree
    cp tree.tar bad
    printf x | dd of=bad bs=1 seek=10 conv=notrunc 2>/dev/null
    refused 'tar archive of [0-9]* bytes at /: at byte 0: no header, or a damaged one$'
}

# Modules are not free memory.
stays() {
    make_tree
    boot_files tree.tar 'extra="fill"' "$@"
    says "files: exit(0): poweroff" 50
    ends poweroff
    file=$(console_lines | sed -n 's/^\(.*\) has the sum [0-9a-f]*$/\1/p')
    says_line "^$file has the sum $(sum_of "tree$file")\$"
    says_line '^filled [1-9][0-9]* KiB$'
    says_not error:
    note "$(console_lines | grep '^filled')"
}

test_modules_pv_memory_is_kept() { stays memory=5; }
test_modules_pvh_memory_is_kept() { stays 'type="pvh"' memory=5; }

# Half of the memory, and not at the boundary of a large page.
test_modules_pv_large() {
    make_tree
    head -c 9000001 /dev/urandom >tree/large
    (cd tree && tar cf ../tree.tar .)
    boot_files tree.tar memory=16 'extra="fill"'
    says "files: exit(0): poweroff" 50
    ends poweroff
    says_line "^/large 100644 9000001 $(sum_of tree/large)\$"
    says_not error:
    note "$(console_lines | grep '^filled')"
}

goes_down() {
    make_tree
    boot_files tree.tar 'extra="write"' "$@"
    ends crash
    says "panic: page fault: write "
}

test_modules_pv_cannot_be_written() { goes_down; }
test_modules_pvh_cannot_be_written() { goes_down 'type="pvh"'; }
