# SPDX-License-Identifier: MIT
# Runs a list of test programs in dom0, each in a domain of its own. It is the scenario's script (its
# helpers are in tools/bed/dom0/lib.sh). The list is /scenario/list: first how many domains at a time,
# then a line per test: NUMBER IMAGE VCPUS MEMORY SECONDS ARGUMENT...
#
# What it says: "@end NUMBER STATUS MILLISECONDS", where STATUS is what the program handed to exit(),
# "hung" when it had not ended after SECONDS, "panic" when the kernel gave up, or "none" when it just
# ended; before that, "@text NUMBER LINE" for the last lines of what did not end with 0. All that a
# domain wrote comes back as the console of tNUMBER.

# xl's own process waits for the domain's end and removes it: one process per test.
run_test() {
    local number=$1 image=$2 vcpus=$3 memory=$4 seconds=$5 name=t$1 status begin=$(now_ns)
    shift 5
    domain_cfg "$name" "$image" vcpus=$vcpus memory=$memory "extra=\"$*\"" 'on_crash="destroy"' >"/run/$name.cfg"
    timeout "$seconds" xl create -F "/run/$name.cfg" >"/run/$name.create" 2>&1 </dev/null
    case $? in
    0) status=$(status_of "$name") ;;
    124|143)
        status=hung
        xl list "$name" >"/scenario/out/$name.xl" 2>&1
        xl destroy "$name" 2>/dev/null ;;
    *)
        status=create
        cp "/run/$name.create" "/scenario/out/$name.xl" ;;
    esac
    [ "$status" = 0 ] || tail -n 40 "$(console_log "$name")" | sed "s/^/@text $number /"
    echo "@end $number $status $((($(now_ns) - begin) / 1000000))"
}

# The console's daemon may be a moment behind xl.
has_ended() { tail -n 3 "$1" | grep -qa -e 'suite: exit(' -e 'panic: '; }

status_of() {
    local log code
    log=$(console_log "$1")
    wait_for 2 has_ended "$log"
    code=$(tail -n 3 "$log" | sed -n 's/.*suite: exit(\(-\?[0-9]*\)): .*/\1/p')
    if [ -n "$code" ]; then
        echo "$code"
    elif grep -qa 'panic: ' "$log"; then
        echo panic
    else
        echo none
    fi
}

# Worker $1 of $2 takes every $2-th line.
worker() {
    awk -v k="$1" -v n="$2" 'NR > 1 && NR % n == k' /scenario/list | while read -r line; do
        run_test $line
    done
}

read -r workers </scenario/list
for k in $(seq 0 $((workers - 1))); do
    worker "$k" "$workers" &
done
wait
