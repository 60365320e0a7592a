# SPDX-License-Identifier: MIT
# Numbers with fractions: the FPU's registers are each thread's own, and what is printed is right to the last digit.
# needs: fpu libc-test
# dom0: libc
# limit: 100
# arch: x86_64 arm64 arm32
# not_x86: printf_doubles_as_glibc
# short: registers_1_vcpu
# short_arm32: printf_doubles_as_glibc

registers() {
    boot fpu "vcpus=$1"
    ends poweroff 60
    switches=$(console_lines | sed -n 's/^fpu: 60 rounds, \([0-9]*\) switches, 0 wrong$/\1/p')
    [ "${switches:-0}" -gt 200 ] || fail "not enough of them were switched"
    note "$switches switches"
}
test_registers_1_vcpu() { registers 1; }
test_registers_4_vcpus() { registers 4; }

# The same program (tests/libc) with dom0's glibc says the same sums over thousands of lines. Those sections that
# print a long or a long double say something else where these have other sizes. (x86: make test-libc, all of it.)
test_printf_doubles_as_glibc() {
    boot libc-test 'extra="digest"' memory=64
    ./libc digest >glibc
    ends poweroff 90
    for section in printf-integers printf-doubles strtod math; do
        line=$(grep "^section $section lines" glibc) || fail "glibc says nothing of $section"
        says_line "^$line\$"
    done
}
