# SPDX-License-Identifier: MIT
# apps/selftest, which tests every subsystem from inside: its TAP is counted, its failures named.
# needs: selftest
# limit: 550
# xen: 4.14 4.17 4.20
# arch: x86_64 arm64 arm32
# short: selftest_fifo
# short_gic2: selftest_fifo
# each_xen: selftest_2l selftest_fifo

. /scenario/tap.sh

test_selftest_2l() { tap 'extra="-events=2l"'; }
test_selftest_fifo() { tap 'extra="-events=fifo"'; }
