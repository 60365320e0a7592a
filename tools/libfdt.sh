#!/bin/sh
# SPDX-License-Identifier: MIT
# Gets libfdt, which reads device trees: Debian's package for one CPU, in build/ARCH/libfdt/: usr/include and
# libfdt.a. Does nothing when it is there.
#
#   tools/libfdt.sh arm64|arm32|x86_64
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
case ${1:-} in
x86_64) debian=amd64 ;; # for tests on the host
arm64) debian=arm64 ;;
arm32) debian=armhf ;;
*)
    echo "usage: tools/libfdt.sh arm64|arm32|x86_64" >&2
    exit 2 ;;
esac
out=$root/build/$1/libfdt
"$root/tools/fetch.py" deb --suite trixie --arch $debian --into "$out" libfdt-dev
cp "$out"/usr/lib/*/libfdt.a "$out/libfdt.a"
touch "$out/stamp"
