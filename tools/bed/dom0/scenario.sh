# SPDX-License-Identifier: MIT
# One scenario in dom0: runs its script and sends the results. File descriptor 3 is port 1.
#
# Order:   "go KIND BYTES COLUMNS ROWS\n", then BYTES of a cpio archive for /scenario
# Answers: "ready" (before any order: the snapshot), "started", then "done CODE BYTES\n" and BYTES of
#          a tar archive. "abort\n" during the run ends the script; its results are sent all the same.
# KIND says where the script's input and output are: run (nothing, port 2), talk (port 2 both),
# shell (dom0's console both). This file and lib.sh come with the order (in /scenario/.bed), so that
# a change in them doesn't cost a new snapshot; init has taken the order.
kind=$1 columns=$2 rows=$3
. /scenario/.bed/lib.sh
[ -e /scenario/.bed/now ] && date -s "$(cat /scenario/.bed/now)" >/dev/null     # Xen's clock follows
start_ns=$(now_ns)
mkdir -p /scenario/out /results/consoles
cd /scenario
body='. /scenario/.bed/lib.sh; . /scenario/.bed/script'

case $kind in
shell)
    stty -F /dev/console cols "$columns" rows "$rows" sane -onlcr     # Xen adds the \r
    setsid cttyhack sh -c "$body" </dev/console >/dev/console 2>&1 3>&- &
    ;;
talk)
    setsid sh -c "$body" <>/dev/vport0p2 >&0 2>&0 3>&- &
    ;;
*)
    setsid sh -c "$body" </dev/null >/dev/vport0p2 2>&1 3>&- &
    ;;
esac
script=$!
# The script is a process group of its own, so that an abort reaches what it has started.
( read -r word <&3 && kill -KILL "-$script" ) &
watcher=$!
wait "$script"
code=$?
kill "$watcher" 2>/dev/null

{
    echo "dom0_start_ns $start_ns"
    echo "dom0_end_ns $(now_ns)"
    cat /run/timings 2>/dev/null
} >/results/timings
xl dmesg >/results/xl-dmesg 2>&1
for log in /var/log/xen/console/guest-*.log; do
    [ -e "$log" ] && ln -s "$log" "/results/consoles/${log##*/guest-}"
done
ln -s /scenario/out /results/out
tar chf /results.tar -C /results .
echo "done $code $(stat -c %s /results.tar)" >&3
cat /results.tar >&3
sleep 3600              # until the machine is taken away
