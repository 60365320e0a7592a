# SPDX-License-Identifier: MIT
# Time is right in every mode of the time-stamp counter (HVM: hvm_soak.sh).
# needs: clock
# limit: 60
# xen: 4.17 4.20

. /scenario/clock.sh

time_in() { tells_the_time boot clock "type=\"$1\"" "tsc_mode=\"$2\""; }

test_time_pv_default() { time_in pv default; }
test_time_pv_always_emulate() { time_in pv always_emulate; }
test_time_pv_native() { time_in pv native; }
test_time_pv_native_paravirt() { time_in pv native_paravirt; }
test_time_pvh_default() { time_in pvh default; }
test_time_pvh_always_emulate() { time_in pvh always_emulate; }
test_time_pvh_native() { time_in pvh native; }
test_time_pvh_native_paravirt() { time_in pvh native_paravirt; }
