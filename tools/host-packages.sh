#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what this machine lacks, by apt-get, after saying so; silent when nothing is missing.
# Looks for commands and files, not for packages, so that whatever provides them will do.
# For Debian 12 and 13.
#
#   tools/host-packages.sh GROUP...     build [ARCH...], bed, bed_arm, iso, check, test, page; ARCH: arm64, arm32
set -eu

missing=

need_command()          # COMMAND PACKAGE
{
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

need_file()             # PACKAGE FILE-OR-PATTERN...; one existing file is enough
{
    package=$1
    shift
    for file; do
        [ -e "$file" ] && return
    done
    missing="$missing $package"
}

group_build()
{
    need_command gcc gcc
    need_command make make
    need_command ld binutils
    need_command python3 python3
    need_command xz xz-utils
    need_command flock util-linux
    need_command dpkg-source dpkg-dev
    need_file libc6-dev /usr/include/*/gnu/libc-version.h /usr/include/gnu/libc-version.h
    need_file libxen-dev /usr/include/xen/xen.h
    need_file ca-certificates /etc/ssl/certs/ca-certificates.crt
}

group_arm64()
{
    need_command aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
}

group_arm32()
{
    need_command arm-linux-gnueabihf-gcc gcc-arm-linux-gnueabihf
}

group_bed()
{
    need_command python3 python3
    need_command gcc gcc
    need_command qemu-system-x86_64 qemu-system-x86
    need_command cpio cpio
    need_command gzip gzip
    need_command xz xz-utils
    need_command zstd zstd
    need_command readelf binutils
    need_file libc6-dev /usr/include/*/gnu/libc-version.h /usr/include/gnu/libc-version.h
    need_file libxen-dev /usr/include/xen/xen.h
}

group_bed_arm()
{
    group_bed
    need_command qemu-system-aarch64 qemu-system-arm
    # Programs for dom0, which is an ARMv8 whatever its domains are, or with a 32-bit Xen an ARMv7.
    need_command aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
    need_file libc6-dev-arm64-cross /usr/aarch64-linux-gnu/lib/libc.a
    need_command arm-linux-gnueabihf-gcc gcc-arm-linux-gnueabihf
    need_file libc6-dev-armhf-cross /usr/arm-linux-gnueabihf/lib/libc.a
}

group_iso()
{
    need_command grub-mkrescue grub-common
    need_file grub-pc-bin /usr/lib/grub/i386-pc/multiboot.mod
    need_command xorriso xorriso
    need_command mformat mtools
}

group_check()
{
    need_command clang clang
    need_command clang-format clang-format
    need_command git git
    need_command shellcheck shellcheck
    need_command pylint pylint
}

group_test()
{
    need_file check /usr/include/check.h # lwIP's unit tests
    need_command pkg-config pkgconf
    need_command gcc gcc
    need_command clang clang
    need_command gdb gdb
    # Sanitizers and libFuzzer of clang. Debian 12 has the folder by full version, 13 by major.
    need_file libclang-rt-dev /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-x86_64.a \
        /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-aarch64.a
    need_file libubsan1 /usr/lib/*/libubsan.so.1
}

group_page()
{
    need_command curl curl
    need_command chromium chromium
    need_file fonts-dejavu-core /usr/share/fonts/truetype/*/*.ttf
}

[ $# -gt 0 ] || set -- help
for group; do
    case $group in
    build|bed|bed_arm|iso|check|test|page|arm64|arm32)
        "group_$group" ;;
    x86_64)
        ;;
    *)
        echo "usage: tools/host-packages.sh build [arm64] [arm32] | bed | bed_arm | iso | check | test | page" >&2
        exit 2 ;;
    esac
done
[ -n "$missing" ] || exit 0

missing=$(echo "$missing" | tr ' ' '\n' | sort -u | tr '\n' ' ')
if ! command -v apt-get >/dev/null; then
    echo "host-packages: this machine has no apt-get; please install:$missing" >&2
    exit 1
fi
root=
if [ "$(id -u)" != 0 ]; then
    root=sudo
    if ! command -v sudo >/dev/null; then
        echo "host-packages: please run as root: apt-get install$missing" >&2
        exit 1
    fi
fi
echo "host-packages: installing${root:+ (by sudo)}: $missing"

# One at a time: of two makes side by side each may come here, and apt-get's own lock does not cover reading the lists.
exec 9<"$0"
flock 9
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install()
{
    # shellcheck disable=SC2086 # a list of words
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=120 $missing >"$log" 2>&1
}

# Only a failure (no lists yet, or lists that name versions gone since) makes apt-get update worth its time.
if ! install; then
    echo "host-packages: reading the package lists"
    $root apt-get update -q >"$log" 2>&1 || true
    if ! install; then
        echo "host-packages: installing failed; last lines of apt-get:" >&2
        tail -n 10 "$log" >&2
        exit 1
    fi
fi
