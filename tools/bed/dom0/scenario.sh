# SPDX-License-Identifier: MIT
# One scenario in dom0: takes an order from port 1 (file descriptor 3), runs it, sends the results.
#
# Order:   "go KIND BYTES COLUMNS ROWS\n", then BYTES of a cpio archive for /scenario
# Answers: "ready" (before any order: the snapshot), "started", then "done CODE BYTES\n" and BYTES of
#          a tar archive. "abort\n" during the run ends the script; its results are sent all the same.
# KIND says where the script's input and output are: run (nothing, port 2), talk (port 2 both),
# shell (dom0's console both).
now_ns() { grep -m1 '^now at' /proc/timer_list | cut -d' ' -f3; }

echo ready >&3
read -r word kind bytes columns rows <&3
echo started >&3
start_ns=$(now_ns)
mkdir -p /scenario/out /results
cd /scenario
dd bs=64k iflag=count_bytes,fullblock count="$bytes" <&3 2>/dev/null | cpio -idm 2>/dev/null

case $kind in
shell)
    stty -F /dev/console cols "$columns" rows "$rows" sane
    setsid cttyhack sh -c '. /bed/lib.sh; . /scenario/.script' </dev/console >/dev/console 2>&1 3>&- &
    ;;
talk)
    setsid sh -c '. /bed/lib.sh; . /scenario/.script' <>/dev/vport0p2 >&0 2>&0 3>&- &
    ;;
*)
    setsid sh -c '. /bed/lib.sh; . /scenario/.script' </dev/null >/dev/vport0p2 2>&1 3>&- &
    ;;
esac
script=$!
# The script is a process group of its own, so that an abort reaches what it has started.
( read -r word <&3 && kill -KILL -- "-$script" ) &
watcher=$!
wait "$script"
code=$?
kill "$watcher" 2>/dev/null

{ echo "dom0_start_ns $start_ns"; echo "dom0_end_ns $(now_ns)"; cat /run/timings 2>/dev/null; } >/results/timings
xl dmesg >/results/xl-dmesg 2>&1
mkdir -p /results/consoles
for log in /var/log/xen/console/guest-*.log; do
    [ -e "$log" ] || continue
    name=${log##*/guest-}
    ln -s "$log" "/results/consoles/$name"
done
ln -s /scenario/out /results/out
tar chf /results.tar -C /results .
echo "done $code $(stat -c %s /results.tar)" >&3
cat /results.tar >&3
sleep 3600
