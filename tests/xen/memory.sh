# SPDX-License-Identifier: MIT
# Every page the domain has can be had, written and read back; and when there are no more, that is
# an error the program survives.
# needs: fill crash
# limit: 120
# arch: x86_64 arm64 arm32
# not_arm: memory_filled_4096
# short: memory_filled_256

# fills MIB PERCENT: of the memory free in main, so much at least comes out of malloc().
fills() {
    boot fill "memory=$1"
    says "fill: exit(0): poweroff" 100
    ends poweroff
    says "fill: 0 words wrong"
    says " ENOMEM"
    set -- "$2" $(console_lines | sed -n 's/^fill: \([0-9.]*\) MiB of \([0-9.]*\) MiB.*/\1 \2/p')
    awk "BEGIN { exit !($2 >= $3 * $1 / 100) }" || fail "only $2 MiB of $3 MiB"
    note "$2 of $3 MiB"
}

test_memory_filled_4() { fills 4 90; }
test_memory_filled_256() { fills 256 98; }
test_memory_filled_4096() { fills 4096 98; }

test_heap_exhausted() {
    boot crash 'extra="heap"' memory=16
    says "crash: exit(0): poweroff"
    ends poweroff
    says "heap full after"
    says "atexit handler ran"
}
