#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes the xl configuration of an image from tools/xl/GUEST.cfg.in.
#
#   tools/make_cfg.sh TEMPLATE IMAGE MEMORY VCPUS [ARGS] >CFG
set -eu

template=$1 image=$2 memory=$3 vcpus=$4 args=${5:-}

# xl's strings know no escapes: one kind of quote must be free.
case $args in
*\'*\"* | *\"*\'*) echo "make_cfg: xl cannot take both kinds of quotes in: $args" >&2; exit 1 ;;
*\'*) quoted="\"$args\"" ;;
*) quoted="'$args'" ;;
esac

kernel=$(cd "$(dirname "$image")" && pwd)/$(basename "$image")
name=$(basename "${image%.*}")
escape() { printf '%s' "$1" | sed 's/[&|\\]/\\&/g'; }
# A program that uses the network has its drivers in it.
network='/^@NETWORK@/d'
! ${NM:-nm} "${image%.*}.elf" | grep -q ' network_start$' || network='s/^@NETWORK@//'
sed -e "$network" -e "s|@NAME@|$name|g" -e "s|@KERNEL@|$(escape "$kernel")|" -e "s|@ISO@|$(escape "${kernel%.*}.iso")|" -e "s|@MEMORY@|$memory|" \
    -e "s|@VCPUS@|$vcpus|" -e "s|@ARGS@|$(escape "$quoted")|" "$template"
