#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh PATTERN PROGRAM...: run host test programs, as many at a time as there are CPUs, print what fails and one
# line per program, and end with "N passed, N failed". A program that is missing or has no last line is one failure.
# What each said stays in PROGRAM.log.

# counts LOG: "PASSED FAILED" of its last line
counts()
{
    tail -n 1 "$1" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' | grep . || echo 0 1
}

# run.sh --one PATTERN PROGRAM
if [ "$1" = --one ]; then
    log=$3.log
    if [ -x "$3" ]; then
        timeout -k 5 600 "$3" "$2" >"$log" 2>&1
    else
        echo "no program" >"$log"
    fi
    said=$(
        counts "$log" | while read -r passed failed; do
            [ "$failed" = 0 ] || grep -v '^ok ' "$log"
            [ "$passed$failed" = 00 ] || echo "$3: $passed passed, $failed failed"
        done
    )
    [ -z "$said" ] || echo "$said"
    exit 0
fi

pattern=$1
shift
printf '%s\n' "$@" | xargs -P "$(nproc)" -I '{}' "$0" --one "$pattern" '{}'
for program in "$@"; do
    counts "$program.log"
done | awk '{ p += $1; f += $2 } END { print p + 0 " passed, " f + 0 " failed"; exit f != 0 || p == 0 }'
