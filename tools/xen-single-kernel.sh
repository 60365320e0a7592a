#!/bin/sh
# SPDX-License-Identifier: MIT
# Starts a program as a Xen domain, with everything that takes: the CD (HVM) and the configuration file. Its man
# page is docs/xen-single-kernel.sh.1. Works installed (make install) and from the source tree; busybox's sh will do.
set -eu

version=0.1
me=${0##*/}
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
if [ -d "$here/../share/xenolith" ]; then
    share=$(cd "$here/../share/xenolith" && pwd) templates=$share
    default=$(readlink -f "$here/../lib/xenolith/default.elf" || true)
else
    share=$here templates=$here/xl default=$here/../build/x86_64/http.elf
fi

usage()
{
    cat <<END
Usage: $me [-hvn] [-l KERNEL] [-k APPLICATION] [-m MB] [-c CORES] [-t TYPE] [-b BRIDGE] [-e MODEL] [-d NAME]
       [-o FOLDER] [-- ARGUMENT...]

This script starts a Xenolith program as a Xen domain. Make sure to destroy your domain when you are finished!

Args:
  -l  Path to the kernel (default: ${default:-none is installed})
  -k  Path to the application: an ELF built by Xenolith, which is its own kernel, or a module for the kernel:
      an archive (cpio, tar) that it sees as files, or one file
  -n  Only create files, do not start
  -m  Domain memory in MB (default 1024)
  -c  Number of CPU cores (default 1)
  -t  Type of the domain: hvm (default), pvh or pv
  -b  Bridge of the host for a network interface, none for no interface (default: xenbr0 if the program uses one)
  -e  Model of the emulated network card, e.g. rtl8139 (HVM)
  -d  Name of the domain (default: the application's)
  -o  Folder for the files that are made (default: this one)
  -v  print VERSION
  -h  this help screen

Example:
  $me -k build/x86_64/hello.elf -m 512 -t pvh -- first "second argument"
END
}

die()
{
    echo "$me: $*" >&2
    exit 1
}

# is_number WHAT VALUE LEAST MOST
is_number()
{
    case $2 in
    '' | *[!0-9]* | ????????*) die "$1 is a number, not '$2'" ;;
    esac
    { [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; } || die "$1 may be $3 to $4 here, not $2"
}

is_file() { { [ -f "$2" ] && [ -r "$2" ]; } || die "$1 $2: there is no such file, or it cannot be read"; }
is_elf() { [ "$(head -c 4 "$1" | tail -c 3)" = ELF ]; }
# The image's note to Xen says so.
is_ours() { LC_ALL=C grep -q Xenolith "$1"; }

has_command() { command -v "$1" >/dev/null 2>&1 || die "there is no $1 on this machine${2:+: $2}"; }

kernel='' application='' start=yes memory=1024 cores=1 type=hvm bridge='' model='' name='' folder=.
while getopts l:k:nm:c:t:b:e:d:o:vh option; do
    case $option in
    l) kernel=$OPTARG ;;
    k) application=$OPTARG ;;
    n) start= ;;
    m) memory=$OPTARG ;;
    c) cores=$OPTARG ;;
    t) type=$OPTARG ;;
    b) bridge=$OPTARG ;;
    e) model=$OPTARG ;;
    d) name=$OPTARG ;;
    o) folder=$OPTARG ;;
    v) echo "$me $version"; exit 0 ;;
    h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))

case $type in
pv) least=3 ;;
pvh) least=2 ;;
hvm) least=32 ;;
*) die "-t $type: the type is hvm, pvh or pv" ;;
esac
is_number "the memory (-m)" "$memory" $least 4194304
is_number "the number of cores (-c)" "$cores" 1 128
[ -z "$model" ] || [ "$type" = hvm ] || die "-e $model: only an HVM domain has emulated cards (-t hvm)"
case $bridge$model in *[!A-Za-z0-9._-]*) die "-b $bridge, -e $model: that is no name of a bridge or a card" ;; esac
[ "$bridge" != none ] || [ -z "$model" ] || die "-e $model: there is no interface with -b none"
{ [ -d "$folder" ] && [ -w "$folder" ]; } || die "-o $folder: there is no such folder, or it cannot be written to"

# An application that is no kernel of its own is a module.
module=
if [ -n "$application" ]; then
    is_file -k "$application"
    if is_elf "$application" && is_ours "$application"; then
        [ -z "$kernel" ] || die "-k $application has its kernel in it: leave -l out"
        kernel=$application
    elif is_elf "$application" && [ -z "$kernel" ]; then
        die "-k $application: an ELF, but none built by Xenolith"
    else
        module=$application
    fi
fi
[ -n "$kernel" ] || kernel=$default
[ -n "$kernel" ] || die "there is no kernel: name one with -l, or an application with -k"
is_file -l "$kernel"
is_elf "$kernel" || die "-l $kernel: that is not an ELF"
is_ours "$kernel" || die "-l $kernel: an ELF, but none built by Xenolith"
[ -n "$name" ] || name=$(basename "${application:-$kernel}" | sed 's/\.[a-z0-9]*$//')
case $name in '' | *[!A-Za-z0-9._-]*) die "'$name' is no name for a domain: give one with -d" ;; esac

[ "$type" != hvm ] || has_command grub-mkrescue "install grub-common, grub-pc-bin, xorriso and mtools, or take -t pvh or pv"
if [ -n "$start" ]; then
    has_command xl "this is no Xen host; -n only creates the files"
    xl info >/dev/null 2>&1 || die "xl does not reach Xen: be root, on a running Xen"
fi

# The arguments as one line, quoted as the kernel unquotes them.
args=
for argument; do
    case $argument in
    *\"*) die "an argument with a double quote cannot be handed over: $argument" ;;
    '' | *[!A-Za-z0-9._=,:/@%+-]*) argument="\"$argument\"" ;;
    esac
    args="$args${args:+ }$argument"
done

absolute() { echo "$(cd "$(dirname "$1")" && pwd)/$(basename "$1")"; }
folder=$(cd "$folder" && pwd)
cfg=$folder/$name.$type.cfg iso=
made=
clean_up() { [ -z "$made" ] || rm -f "$cfg.new" ${iso:+"$iso"} "$cfg"; }
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
made=yes

if [ "$type" = hvm ]; then
    iso=$folder/$name.iso
    "$share/iso.sh" "$kernel" "$iso" "-uart=io:0x3f8 $args" ${module:+"$module"} || die "$iso could not be made"
elif [ -n "$module" ]; then
    module=$(absolute "$module")
fi
vif=
if [ -n "$bridge$model" ]; then
    vif=${model:+model=$model,}bridge=${bridge:-xenbr0}
    [ "$bridge" != none ] || vif=none
fi
NAME=$name ISO=$iso VIF=$vif MODULE=$module "$share/make_cfg.sh" "$templates/$type.cfg.in" "$(absolute "$kernel")" \
    "$memory" "$cores" "$args" >"$cfg.new" || die "$cfg could not be made"
mv "$cfg.new" "$cfg"
echo "$me: made ${iso:+$iso and }$cfg"

if [ -n "$start" ]; then
    xl create "$cfg" || die "xl create $cfg: exit status $?"
    [ -z "$iso" ] || echo "$me: its serial port: tail -f /tmp/$name.log"
    echo "$me: its console: xl console $name; when you are finished: xl destroy $name"
fi
made=
