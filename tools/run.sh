#!/bin/sh
# SPDX-License-Identifier: MIT
# Creates the domain of a configuration file and shows its console until it ends: with the machine's
# own xl where it is a Xen host, else on the test bed.
#
#   tools/run.sh CFG XEN-VERSION-OF-THE-BED
set -eu

cfg=$1 xen=$2
tools=$(dirname "$0")

if command -v xl >/dev/null && xl info >/dev/null 2>&1; then
    echo "run: this machine is a Xen host: xl create -c $cfg"
    exec xl create -c "$cfg"
fi
exec "$tools/bed/bed.py" console --xen "$xen" --cfg "$cfg"
