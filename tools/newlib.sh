#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds newlib, the C library, for one CPU: build/ARCH/newlib/include and lib/libc.a, lib/libm.a.
# Takes Debian's newlib-source package unmodified. Does nothing when the result is there and was
# built by this script with this compiler. What newlib needs from us is in libc/.
#
#   tools/newlib.sh x86_64|arm64|arm32
set -eu

arch=${1:-}
root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/build/$arch/newlib
log=$out/build.log

# Common to all CPUs. -ftls-model=local-exec: one static image. No unwind tables: backtraces follow
# frame pointers. No loop vectorising: bigger, and string functions called from an upcall must not
# touch FPU state. -Os makes a program that prints a fifth smaller than -O2; without the macro that
# comes with it, the string functions stay the quick ones (a word at a time) and printf keeps
# "(null)", for 600 bytes.
flags="-Os -U__OPTIMIZE_SIZE__ -g0 -fno-pie -fno-omit-frame-pointer -fno-asynchronous-unwind-tables
       -fno-tree-vectorize -ffunction-sections -fdata-sections -fstack-protector-strong
       -ftls-model=local-exec"

# read(), not _read(), is what the system is asked for; on x86 newlib does so by itself.
names=-DMISSING_SYSCALL_NAMES

case $arch in
x86_64)
    # No red zone: a PV guest's events and exceptions are pushed on the running stack. So an overflow
    # must be seen while there is still stack to report it on: with -fsplit-stack a function compares
    # the stack pointer with the thread's limit before it takes its frame.
    target=x86_64-elf prefix=''
    flags="$flags -fsplit-stack -mno-red-zone -mcmodel=small -fcf-protection=none" ;;
arm64)
    target=aarch64-elf prefix=aarch64-linux-gnu-
    flags="$flags $names -mno-outline-atomics" ;;
arm32)
    target=arm-none-eabi prefix=arm-linux-gnueabihf-
    flags="$flags $names -marm -march=armv7-a+fp -mfloat-abi=hard -mtp=cp15" ;;
*)
    echo "usage: tools/newlib.sh x86_64|arm64|arm32" >&2
    exit 2 ;;
esac

# What C99 asks of printf and scanf is off by default in newlib, hence the io options and mb, without
# which %ls prints the first byte only. reent-thread-local: errno and the like are _Thread_local variables, so a program pays only for those it uses.
options="--enable-newlib-io-c99-formats --enable-newlib-io-long-long --enable-newlib-io-long-double
         --enable-newlib-mb --enable-newlib-reent-thread-local --enable-newlib-retargetable-locking
         --enable-newlib-multithread --disable-newlib-supplied-syscalls --disable-libgloss
         --disable-multilib --disable-nls"

if ! command -v "${prefix}gcc" >/dev/null; then
    echo "newlib: ${prefix}gcc is missing; tools/host-packages.sh build $arch installs it" >&2
    exit 1
fi
wanted="$(cksum <"$root/tools/newlib.sh") $("${prefix}gcc" -dumpfullversion)"
[ "$(cat "$out/stamp" 2>/dev/null)" = "$wanted" ] && exit 0

fail()
{
    echo "newlib: $arch: $1 failed; last lines of $log:" >&2
    tail -n 15 "$log" >&2
    exit 1
}

# One line per 20 % of the objects that make is about to compile.
show_progress()
{
    awk -v total="$1" -v arch="$arch" '{ print >>log_file }
        /^  (CC|CPPAS) / { n++; p = int(5 * n / total); if (p > shown) {
                           shown = p; print "newlib: " arch ": building, " 20 * p " %"; fflush() } }' \
        log_file="$log"
}

mkdir -p "$out"
exec 9>"$root/build/newlib.lock"
flock 9         # the source tree is shared by all CPUs, and two builds of one CPU would collide
[ "$(cat "$out/stamp" 2>/dev/null)" = "$wanted" ] && exit 0

source=$root/build/newlib-source
"$root/tools/fetch.py" deb --suite trixie --into "$source" newlib-source
if [ ! -e "$source/unpacked" ]; then
    mkdir -p "$source/src"
    tar -xf "$source"/usr/src/newlib/newlib-*.tar.* -C "$source/src" --strip-components=1
    : >"$source/unpacked"
fi

rm -rf "$out/obj" "$out/stage" "$out/stamp"
mkdir -p "$out/obj"
cd "$out/obj"
unset MAKEFLAGS MFLAGS MAKELEVEL CFLAGS CPPFLAGS LDFLAGS CC CXX AR LD AS NM 2>/dev/null || true
tools=
for tool in gcc ar as ld nm ranlib strip objcopy objdump readelf; do
    name=$(echo $tool | tr '[:lower:]' '[:upper:]' | sed 's/^GCC$/CC/')
    tools="$tools ${name}_FOR_TARGET=$prefix$tool"
done
jobs=${JOBS:-$(nproc)}

echo "newlib: $arch: configuring"
# shellcheck disable=SC2086,SC2116 # lists of words
"$source/src/configure" --target=$target --prefix="$out/stage" $options $tools \
    CFLAGS_FOR_TARGET="$(echo $flags)" MAKEINFO=true >"$log" 2>&1 || fail configure
make configure-target-newlib >>"$log" 2>&1 || fail configure
total=$(make -n all-target-newlib 2>/dev/null | grep -c ' -c -o ')
{ make -j"$jobs" all-target-newlib 2>&1 || echo "newlib: make failed"; } | show_progress "$total"
grep -q '^newlib: make failed' "$log" && fail make
make install-target-newlib >>"$log" 2>&1 || fail install

# On ARM newlib brings calls of its own that ask for _read() and so on.
for file in "$source"/src/newlib/libc/syscalls/*.c; do
    "${prefix}ar" d "$out/stage/$target/lib/libc.a" "libc_a-$(basename "$file" .c).o" 2>/dev/null || true
done

rm -rf "${out:?}/include" "${out:?}/lib"
mv "$out/stage/$target/include" "$out/stage/$target/lib" "$out"
cp "$source/src/COPYING.NEWLIB" "$out"
rm -rf "$out/obj" "$out/stage"
echo "$wanted" >"$out/stamp"
echo "newlib: $arch: build/$arch/newlib is ready"
