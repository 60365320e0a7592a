#!/bin/sh
# SPDX-License-Identifier: MIT
# Links an image: once to learn its functions, once more with the table of their names to learn how
# long its constant part is, and for good with the start that lets that part end at 2 MiB.
#
#   tools/link.sh APP OUT.elf OBJECT... -- LIBRARY...      CC, CFLAGS, LDFLAGS and NM from the environment
#
# With IMAGE_AT the linker script says where the image lies, and the second time is the last.
set -eu

app=$1 out=$2
shift 2
tools=$(dirname "$0")
tmp=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

link()  # START SIZING OUT OBJECT...
{
    start=$1 sizing=$2 file=$3
    shift 3
    # shellcheck disable=SC2086
    $CC $LDFLAGS -Wl,--defsym=IMAGE_START="$start",--defsym=SIZING="$sizing" -o "$file" "$@"
}

python3 "$tools/symbols.py" "$app" >"$tmp/symbols.S"
$CC $CFLAGS -c "$tmp/symbols.S" -o "$tmp/symbols.o"
link 0x100000 1 "$tmp/first.elf" "$tmp/symbols.o" "$@"

python3 "$tools/symbols.py" "$app" "$tmp/first.elf" >"$tmp/symbols.S"
$CC $CFLAGS -c "$tmp/symbols.S" -o "$tmp/symbols.o"
link 0x100000 1 "$tmp/second.elf" "$tmp/symbols.o" "$@"
if [ -n "${IMAGE_AT:-}" ]; then
    mv "$tmp/second.elf" "$out"
    exit 0
fi

end=$(${NM:-nm} "$tmp/second.elf" | awk '$3 == "__rodata_end" { print $1 }')
size=$((0x$end - 0x100000))
# The lowest multiple of 2 MiB that leaves the first MiB free.
start=$(((0x$end + 0x1fffff) / 0x200000 * 0x200000 - size))
link "$(printf '0x%x' $start)" 0 "$tmp/final.elf" "$tmp/symbols.o" "$@"
mv "$tmp/final.elf" "$out"
