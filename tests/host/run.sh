#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh PATTERN PROGRAM...: run host test programs, print what fails and one line per program, and end with
# "N passed, N failed". A program that is missing or has no last line is one failure.
pattern=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0
for program in "$@"; do
    if [ -x "$program" ]; then
        timeout -k 5 600 "$program" "$pattern" >"$log" 2>&1
    else
        echo "no program" >"$log"
    fi
    last=$(tail -n 1 "$log")
    case $last in
    *" passed, "*" failed")
        p=${last%% passed*}
        f=${last##*, }
        f=${f%% failed}
        ;;
    *)
        p=0
        f=1
        ;;
    esac
    passed=$((passed + p))
    failed=$((failed + f))
    if [ "$f" != 0 ]; then
        grep -v '^ok ' "$log"
    fi
    cp -f "$log" "$program.log" 2>/dev/null
    if [ "$p$f" != 00 ]; then
        echo "$program: $p passed, $f failed"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
