#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the CD that an HVM domain starts from: GRUB, which loads the image by multiboot.
#
#   tools/iso.sh IMAGE.elf OUT.iso [ARGS [MODULE [TEXT]]...]     MULTIBOOT=2 in the environment: by multiboot2
set -eu

image=$1 out=$2 args=${3:-}
[ $# -lt 3 ] && shift 2 || shift 3
version=${MULTIBOOT:-}
case $version in 2) ;; 1 | '') version= ;; *) echo "iso: MULTIBOOT=$version: 1 or 2" >&2; exit 1 ;; esac
name=$(basename "$image" .elf)
tmp=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

mkdir -p "$tmp/iso/boot/grub"
cp "$image" "$tmp/iso/boot/$name.elf"
{
    printf 'set default=0\nset timeout=0\n\nmenuentry "%s" {\n' "$name"
    printf '    multiboot%s /boot/%s.elf %s\n' "$version" "$name" "$args"
    while [ $# -gt 0 ]; do
        cp "$1" "$tmp/iso/boot/"
        printf '    module%s /boot/%s%s\n' "$version" "$(basename "$1")" "${2:+ $2}"
        shift
        [ $# = 0 ] || shift
    done
    printf '    boot\n}\n'
} >"$tmp/iso/boot/grub/grub.cfg"
# Only what starts from a CD by BIOS, and only the modules that takes.
grub-mkrescue -d /usr/lib/grub/i386-pc --locales= --fonts= --themes= \
    --install-modules="normal multiboot multiboot2 iso9660 biosdisk" \
    -o "$tmp/out.iso" "$tmp/iso" >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; exit 1; }
mv "$tmp/out.iso" "$out"
