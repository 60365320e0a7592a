#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh short RUNS NAME...: each fuzzer with a fixed seed and number of runs.
# run.sh long SECONDS NAME...: each for that long, on the corpus in build/fuzz/corpus.
# At fixed addresses where that is allowed: a fuzzer learns from compared values, and addresses
# are among them.
# A fuzzer starts from what is in tests/fuzz/corpus/NAME, if anything. The last line is
# "N passed, N failed".
mode=$1
amount=$2
shift 2
passed=0
failed=0
fixed="setarch -R"
$fixed true 2>/dev/null || fixed=
for name in "$@"; do
    log=build/fuzz/$name.$mode.log
    seeds=tests/fuzz/corpus/${name#fuzz_}
    [ -d "$seeds" ] || seeds=
    set -- -seed=1 -max_len=4096 -timeout=10 -artifact_prefix=build/fuzz/"$name"- -print_final_stats=1
    if [ "$mode" = short ]; then    # it writes to the first folder
        rm -rf build/fuzz/new && mkdir -p build/fuzz/new
        timeout -k 5 120 $fixed build/fuzz/"$name" "$@" -runs="$amount" build/fuzz/new $seeds >"$log" 2>&1
    else
        mkdir -p build/fuzz/corpus/"$name"
        timeout -k 5 $((amount + 120)) $fixed build/fuzz/"$name" "$@" -seed="$(date +%s)" \
            -max_total_time="$amount" build/fuzz/corpus/"$name" $seeds >"$log" 2>&1
    fi
    if [ $? = 0 ]; then
        passed=$((passed + 1))
        echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs," \
             "$(sed -n 's/.*cov: \([0-9]*\).*/\1/p' "$log" | tail -n 1) edges"
    else
        failed=$((failed + 1))
        echo "$name: failed; the end of $log:"
        tail -n 30 "$log"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
