#!/bin/sh
# SPDX-License-Identifier: MIT
# The wrapper xen-single-kernel.sh as `make install` puts it there, run from elsewhere: its files, its options, what
# it says of bad ones, and what it leaves behind. xl is a fake, GRUB is the real one where a CD is read back.
# The last line is "N passed, N failed".
#
#   tests/wrapper/run.sh INSTALLED.tar ARCHIVE.tar [PATTERN]      ARCHIVE: anything that is no ELF
set -u

self=$(readlink -f "$0") tar=$(readlink -f "$1") module=$(readlink -f "$2") only=${3:-}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
passed=0 failed=0
tar xf "$tar" -C "$root"
mkdir "$root/bin" "$root/away"
wrapper=$root/usr/local/bin/xen-single-kernel.sh kernel=$root/usr/local/lib/xenolith/hello.elf
cd "$root/away" || exit 1

# What a machine has besides xl and GRUB, and fakes of these, which note how they were called.
for tool in sh cat head tail grep sed basename dirname readlink mktemp mkdir cp mv rm chmod touch; do
    ln -s "$(command -v $tool)" "$root/bin/$tool"
done
fake() { printf '#!/bin/sh\necho "%s $*" >>%s/calls\n%s\n' "$1" "$root" "$2" >"$root/bin/$1" && chmod +x "$root/bin/$1"; }

# run ARGUMENT...: with the fakes alone; $out, $code
run()
{
    : >"$root/calls"
    out=$(PATH=$root/bin "$wrapper" "$@" 2>&1)
    code=$?
}

fail() { echo "    $*: exit status $code, said: $out"; return 1; }
says() { case $out in *"$1"*) ;; *) fail "does not say '$1'" ;; esac; }
ended() { [ "$code" = "$1" ] || fail "exit status $1 expected"; }
has() { grep -qxF -- "$2" "$1" || fail "$1 has no line '$2': $(grep -v '^#' "$1" 2>&1)"; }
nothing_left() { [ -z "$(ls -A)" ] || fail "left behind: $(ls -A)"; }

# refuses TEXT ARGUMENT...
refuses()
{
    text=$1
    shift
    run "$@"
    ended 1 && says "$text" && says "xen-single-kernel.sh: " && nothing_left && [ ! -s "$root/calls" ] || fail "refuses $*"
}

test_help()
{
    run -h
    ended 0 && says "Usage: xen-single-kernel.sh" && says "Example:" && says "-m  Domain memory in MB (default 1024)" &&
        says "Make sure to destroy your domain when you are finished!" && says "(default: $kernel)"
}

test_version() { run -v && ended 0 && says "xen-single-kernel.sh 0"; }
test_unknown_option() { run -x; ended 2 && says "Usage:"; }
test_option_without_value() { run -m; ended 2 && says "Usage:"; }
test_kernel_missing() { refuses "-l nowhere.elf: there is no such file" -n -l nowhere.elf; }
test_application_missing() { refuses "-k nowhere: there is no such file" -n -k nowhere; }
test_kernel_is_a_folder() { refuses "there is no such file" -n -l "$root"; }
test_kernel_is_no_elf() { refuses "that is not an ELF" -n -t pv -l "$module"; }
test_kernel_is_a_device() { refuses "there is no such file" -n -l /dev/null; }
test_kernel_of_others() { refuses "an ELF, but none built by Xenolith" -n -t pv -l /bin/ls; }
test_application_of_others() { refuses "an ELF, but none built by Xenolith" -n -t pv -k /bin/ls; }
test_application_with_kernel() { refuses "leave -l out" -n -t pv -l "$kernel" -k "$kernel"; }
test_memory_nonsense() { refuses "the memory (-m) is a number, not '1k'" -n -m 1k; }
test_memory_negative() { refuses "is a number" -n -m -1; }
test_memory_huge() { refuses "is a number" -n -m 99999999999999999999; }
test_memory_too_small() { refuses "may be 3 to" -n -t pv -m 2; }
test_cores_zero() { refuses "may be 1 to 128" -n -c 0; }
test_cores_too_many() { refuses "may be 1 to 128" -n -c 129; }
test_type_unknown() { refuses "the type is hvm, pvh or pv" -n -t vmware; }
test_model_of_pv() { refuses "only an HVM domain" -n -t pv -e rtl8139; }
test_bridge_nonsense() { refuses "no name of a bridge" -n -t pv -b "x'] #"; }
test_name_nonsense() { refuses "no name for a domain" -n -t pv -d "a/b"; }
test_folder_missing() { refuses "there is no such folder" -n -t pv -o nowhere; }
test_argument_with_quote() { refuses "double quote" -n -t pv -- 'a"b'; }
test_without_grub() { refuses "there is no grub-mkrescue on this machine" -n; }
test_without_xl() { refuses "there is no xl on this machine" -t pv; }

test_xl_without_xen()
{
    fake xl 'exit 1'
    run -t pv
    ended 1 && says "xl does not reach Xen" && nothing_left
}

test_starts_the_domain()
{
    fake xl ''
    run -t pv -m 64
    ended 0 && says "xl destroy hello" && has "$root/calls" "xl create $PWD/hello.pv.cfg"
}

test_start_that_fails_leaves_nothing()
{
    fake xl 'test "$1" = info'
    run -t pv
    ended 1 && says "xl create" && nothing_left
}

test_grub_that_fails_leaves_nothing()
{
    fake grub-mkrescue 'echo no room >&2; exit 1'
    run -n
    ended 1 && says "no room" && says "could not be made" && nothing_left
}

test_pv()
{
    run -n -t pv -m 64 -c 2 -d guest -- one "two words"
    ended 0 && says "made $PWD/guest.pv.cfg" && has guest.pv.cfg 'type = "pv"' && has guest.pv.cfg 'name = "guest"' &&
        has guest.pv.cfg 'memory = 64' && has guest.pv.cfg 'vcpus = 2' && has guest.pv.cfg "kernel = \"$kernel\"" &&
        has guest.pv.cfg "extra = 'one \"two words\"'" && ! grep -q 'ramdisk\|^vif\|@' guest.pv.cfg
}

test_defaults()
{
    run -n -t pvh
    ended 0 && has hello.pvh.cfg 'type = "pvh"' && has hello.pvh.cfg 'memory = 1024' && has hello.pvh.cfg 'vcpus = 1'
}

test_application_is_a_kernel()
{
    cp "$kernel" app
    run -n -t pv -k app -o "$root/away"
    ended 0 && has app.pv.cfg "kernel = \"$PWD/app\"" && ! grep -q ramdisk app.pv.cfg
}

test_application_is_a_module()
{
    run -n -t pvh -k "$module" -b br0 -d m
    ended 0 && has m.pvh.cfg "ramdisk = \"$module\"" && has m.pvh.cfg "kernel = \"$kernel\"" &&
        has m.pvh.cfg "vif = [ 'bridge=br0' ]"
}

test_folder_with_blanks()
{
    mkdir "a b"
    cp "$kernel" "a b/k.elf"
    run -n -t pv -l "a b/k.elf" -o "a b"
    ended 0 && has "a b/k.pv.cfg" "kernel = \"$PWD/a b/k.elf\""
}

# The real GRUB: what is on the CD is read back.
test_hvm_with_module()
{
    : >"$root/calls"
    out=$("$wrapper" -n -k "$module" -l "$kernel" -m 128 -b br0 -e rtl8139 -d pc -- x 2>&1)
    code=$?
    ended 0 && has pc.hvm.cfg "disk = [ 'file:$PWD/pc.iso,hdc:cdrom,r' ]" && has pc.hvm.cfg 'type = "hvm"' &&
        has pc.hvm.cfg "vif = [ 'model=rtl8139,bridge=br0' ]" && has pc.hvm.cfg 'tsc_mode = "native"' || return 1
    xorriso -osirrox on -indev pc.iso -extract /boot "$root/boot" >/dev/null 2>&1
    has "$root/boot/grub/grub.cfg" '    multiboot /boot/hello.elf -uart=io:0x3f8 x' &&
        has "$root/boot/grub/grub.cfg" "    module /boot/$(basename "$module")" &&
        cmp "$root/boot/hello.elf" "$kernel" && cmp "$root/boot/$(basename "$module")" "$module"
}

test_man_page() { out=$(man --warnings -l "$root/usr/local/share/man/man1/xen-single-kernel.sh.1" 2>&1 >/dev/null); [ -z "$out" ] || fail "man"; }

for test in $(sed -n 's/^\(test_[a-z_]*\)() *.*/\1/p' "$self"); do
    case $test in *"$only"*) ;; *) continue ;; esac
    rm -rf "$root/away" "$root/bin/xl" "$root/bin/grub-mkrescue"
    mkdir "$root/away"
    cd "$root/away" || exit 1
    if "$test" >"$root/said"; then
        passed=$((passed + 1))
        echo "ok - wrapper: ${test#test_}"
    else
        failed=$((failed + 1))
        echo "not ok - wrapper: ${test#test_}"
        cat "$root/said"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
