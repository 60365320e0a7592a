# SPDX-License-Identifier: MIT
# Queues and threads of four vCPUs that really run at the same time.
# needs: http netsum
# limit: 200
# arch: x86_64 arm64 arm32
# clock: multi
. /scenario/net.sh

test_parallel_streams() {
    serve netsum 10.0.2.30 memory=64 vcpus=4
    for n in 1 2 3 4; do
        echo $((n << 20)) | nc.openbsd 10.0.2.30 5011 | nc.openbsd -N 10.0.2.30 5010 >answer$n &
    done
    wait
    for n in 1 2 3 4; do
        expect "bytes that came back" "$(cut -d' ' -f2 answer$n)" $((n << 20))
        says "sent $((n << 20)) bytes, $(cut -d' ' -f1 answer$n)"
    done
}

test_parallel_connections() {
    serve http 10.0.2.30 vcpus=4
    ab -q -c 64 -n 2000 -k -s 60 http://10.0.2.30/bytes/20000 >bench 2>&1 || fail "ab: $(tail -n 5 bench)"
    grep -q '^Failed requests: *0$' bench || fail "$(grep -A 1 Failed bench)"
    says_not error
}
