#!/bin/sh
# SPDX-License-Identifier: MIT
# Gets lwIP, the TCP/IP stack: Debian's source package, unmodified, in build/lwip-source/lwip. The
# Makefile compiles from there what it wants. Does nothing when it is there.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$root/build"
exec 9>"$root/build/lwip.lock"
flock 9
"$root/tools/fetch.py" source --suite trixie --into "$root/build/lwip-source" lwip
touch "$root/build/lwip-source/stamp"
