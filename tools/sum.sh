#!/bin/sh
# SPDX-License-Identifier: MIT
#
# sum.sh FOLDER: adds up what the parts of `make test` said. FOLDER holds PART.log, whose last
# "N passed, N failed" counts, and PART.status, its exit status. A part that said nothing, or that
# ended badly without counting a failure, is one failure; but where ONLY picks tests, it may have had
# none to run. The last line and the exit status tell all.
set -u
passed=0 failed=0 skipped=0

# number TEXT WORD: the number before " WORD" in TEXT, 0 when there is none
number() {
    n=$(printf '%s\n' "$1" | sed -n "s/.*\<\([0-9][0-9]*\) $2.*/\1/p")
    echo "${n:-0}"
}

for status_file in "$1"/*.status; do
    part=${status_file##*/}
    part=${part%.status}
    status=$(cat "$status_file")
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$1/$part.log" | tail -n 1)
    p=$(number "$line" passed)
    f=$(number "$line" failed)
    if [ -n "${ONLY:-}" ] && [ "$line" = "0 passed, 0 failed" ]; then
        continue
    fi
    if [ "$f" = 0 ] && { [ "$p" = 0 ] || [ "$status" != 0 ]; }; then
        f=1
        line="${line:-no last line}, exit status $status"
    fi
    echo "$part: $line"
    passed=$((passed + p))
    failed=$((failed + f))
    skipped=$((skipped + $(number "$line" skipped)))
done
[ "$skipped" = 0 ] && tail= || tail=", $skipped skipped"
echo "$passed passed, $failed failed$tail"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
