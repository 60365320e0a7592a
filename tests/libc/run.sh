#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares newlib with the host's C library: the program of this folder must print the same bytes
# with both. First newlib as a process on the host, then as a Xen domain on the test bed, where only
# the digest of each section goes over the console. Last line: "N passed, N failed".
#
#   HOST_ONLY=1  leaves the domain out
#   FULL=1       the domain prints every line (four megabytes, a minute)
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
arch=x86_64
newlib=$root/build/$arch/newlib
image=$root/build/$arch/libc-test.elf
out=$root/build/tests/libc
here=$root/tests/libc
passed=0
failed=0
mkdir -p "$out"

verdict()               # NAME STATUS
{
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
        echo "ok $1"
    else
        failed=$((failed + 1))
        echo "FAILED $1"
    fi
}

# Equal, and complete: two empty files are no success.
same_output()           # EXPECTED GOT
{
    tail -n 1 "$1" | grep -q '^libc comparison: [0-9]* lines, end$' && ! grep -a '^FAILED' "$1" "$2" &&
        cmp -s "$1" "$2" && return
    echo "differences ($1, $2):"
    diff -a "$1" "$2" | cut -c 1-150 | head -n 20
    return 1
}

build_glibc()
{
    gcc -std=gnu11 -O1 -fno-builtin -Wall -Wextra "$here"/*.c -lm -o "$out/glibc" &&
        timeout 60 "$out/glibc" >"$out/glibc.txt" && timeout 60 "$out/glibc" digest >"$out/digest.txt"
}

# x86/setjmp.S is the kernel's; the rest of what newlib needs on the host is in host/shim.c.
build_newlib()
{
    mkdir -p "$out/include"
    : >"$out/include/asm-offsets.h"
    gcc -std=gnu11 -O2 -Wall -Wextra -nostdinc -isystem "$(gcc -print-file-name=include)" \
        -isystem "$newlib/include" -I"$root/x86/include" -I"$out/include" -fno-builtin -fno-pie \
        -ffunction-sections -fdata-sections -static -no-pie -nostdlib -Wl,--gc-sections,-z,noexecstack \
        "$here"/*.c "$here/host/shim.c" "$root/x86/setjmp.S" -L"$newlib/lib" \
        -Wl,--start-group -lm -lc -lgcc -Wl,--end-group -o "$out/newlib" &&
        timeout 60 "$out/newlib" >"$out/newlib.txt"
}

# The bed is made first, so that the console has only the domain's lines, then what the kernel and xl say of
# its end.
run_domain()
{
    "$root/tools/bed/bed.py" build || return 1
    timeout -k 5 300 "$root/tools/bed/bed.py" console --kernel "$image" --memory 64 --timeout 200 \
        ${extra:+--extra "$extra"} </dev/null >"$out/console.txt" 2>&1 ||
        { tail -n 15 "$out/console.txt"; return 1; }
    tr -d '\r' <"$out/console.txt" | sed '/^libc comparison: /q' >"$out/domain.txt"
}

what=digest extra=digest
[ -z "${FULL:-}" ] || what=glibc extra=

"$root/tools/newlib.sh" $arch || exit 1
build_glibc
verdict libc_reference_runs $?
build_newlib && same_output "$out/glibc.txt" "$out/newlib.txt"
verdict libc_newlib_on_host_equals_glibc $?
if [ -z "${HOST_ONLY:-}" ]; then
    run_domain && same_output "$out/$what.txt" "$out/domain.txt"
    verdict libc_newlib_in_domain_equals_glibc $?
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed != 0 ]
