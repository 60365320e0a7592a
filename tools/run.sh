#!/bin/sh
# SPDX-License-Identifier: MIT
# Creates the domain of a configuration file and shows its console until it ends: with the machine's
# own xl where it is a Xen host, else on the test bed.
#
#   tools/run.sh CFG XEN-VERSION-OF-THE-BED [PORT[:PORT-OF-THE-DOMAIN]] [ARCH]
#
# On the bed PORT of this machine leads to a port of the domain (80), which has its address by DHCP.
# CLOCK=paced gives the domain a clock that a busy machine cannot hurry.
set -eu

cfg=$1 xen=$2 port=${3:-} arch=${4:-x86_64}
tools=$(dirname "$0")

if command -v xl >/dev/null && xl info >/dev/null 2>&1; then
    echo "run: this machine is a Xen host: xl create -c $cfg"
    [ -z "$port" ] || echo "run: the domain's address is in the line that begins with vif0"
    exec xl create -c "$cfg"
fi
set -- console --xen "$xen" --arch "$arch" --clock "${CLOCK:-multi}" --cfg "$cfg"
case $port in
"") ;;
*:*) set -- "$@" --forward "tcp:127.0.0.1:${port%%:*}-:${port#*:}" ;;
*) set -- "$@" --forward "tcp:127.0.0.1:$port-:80" ;;
esac
exec "$tools/bed/bed.py" "$@"
