#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes the xl configuration of an image from tools/xl/GUEST.cfg.in.
#
#   tools/make_cfg.sh TEMPLATE IMAGE.elf MEMORY VCPUS [ARGS] >CFG
#
# From the environment, if set: NAME of the domain, ISO it starts from, VIF (of the interface, or none), MODULE
# (ramdisk= of PV and PVH).
set -eu

template=$1 image=$2 memory=$3 vcpus=$4 args=${5:-}

# xl's strings know no escapes: one kind of quote must be free.
case $args in
*\'*\"* | *\"*\'*) echo "make_cfg: xl cannot take both kinds of quotes in: $args" >&2; exit 1 ;;
*\'*) quoted="\"$args\"" ;;
*) quoted="'$args'" ;;
esac

kernel=$(cd "$(dirname "$image")" && pwd)/$(basename "$image")
name=${NAME:-$(basename "$image" .elf)}
escape() { printf '%s' "$1" | sed 's/[&|\\]/\\&/g'; }
# A program that uses the network has its drivers, and their options' help, in it.
network='/^@NETWORK@/d'
! LC_ALL=C grep -q 'FEATURE\[,FEATURE\.\.\.\] of sg' "$image" || network='s/^@NETWORK@//'
vif=
case ${VIF:-} in
'') ;;
none) network='/^@NETWORK@/d' vif='s/^vif = /# &/' ;;
*) network='s/^@NETWORK@//' vif="s|^\(# \)*vif = .*|vif = [ '$(escape "$VIF")' ]|" ;;
esac
module='/^@MODULE@/d'
[ -z "${MODULE:-}" ] || module="s|^@MODULE@||; s|@RAMDISK@|$(escape "$MODULE")|"
sed -e "$network" -e "$vif" -e "$module" -e "s|@NAME@|$name|g" -e "s|@KERNEL@|$(escape "$kernel")|" \
    -e "s|@ISO@|$(escape "${ISO:-${kernel%.elf}.iso}")|" -e "s|@MEMORY@|$memory|" -e "s|@VCPUS@|$vcpus|" \
    -e "s|@ARGS@|$(escape "$quoted")|" "$template"
