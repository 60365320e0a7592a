# SPDX-License-Identifier: MIT
# What scenarios use: create a domain, wait for it, read and write its console. busybox sh; sourced
# before the scenario's script, which starts in /scenario. A wait that is in vain returns 1.
#
#   create NAME KERNEL [LINE...]    create a PV domain, on ARM the kind there is; each LINE is a line of its configuration.
#                                   KERNEL may be a CD, NAME.iso: an HVM domain with its serial port in /tmp/NAME.serial,
#                                   without a screen, on which GRUB would spend a third of the boot. An HVM domain may also
#                                   start from its KERNEL, as type="hvm" wants it; then multiboot_dma.bin is in /scenario
#                                   (create_paused=-p before it: and leave it paused)
#   console_has NAME TEXT SECONDS   wait until the domain has written TEXT
#   console_text NAME               all it has written so far
#   send_console NAME TEXT          type TEXT and Enter
#   wait_gone NAME SECONDS          wait until no domain has that name
#   shutdown_reason NAME            poweroff, reboot, suspend, crash, ... of its last shutdown
#   reason_known NAME               is it there yet?
#   report NAME                     one line for the log: what became of it
#   boot_time NAME KERNEL MARKER SECONDS [LINE...]  create, and measure until MARKER appears
#   now_ns                          dom0's clock

case $(uname -m) in x86_64) guest=pv ;; *) guest=pvh ;; esac

now_ns() { grep -m1 '^now at' /proc/timer_list | cut -d' ' -f3; }

# dom0's clock in hundredths of a second, as $now; without a process, which take their time here.
read_uptime() {
    read -r now _ </proc/uptime
    now=${now%.*}${now#*.}
}

# wait_for SECONDS COMMAND...: try until it succeeds, less often the longer it takes: looking takes
# the CPU from what is waited for.
wait_for() {
    local now end pause_us=20000
    read_uptime
    end=$((now + $1 * 100))
    shift
    until "$@"; do
        read_uptime
        [ "$now" -lt $end ] || return 1
        usleep $pause_us
        [ $pause_us -ge 200000 ] || pause_us=$((pause_us + pause_us / 4))
    done
}

# domain_cfg NAME KERNEL [LINE...]: the configuration file on stdout. A line given replaces the
# default of the same key.
domain_cfg() {
    local name=$1 kernel=$2 line given= hvm=
    shift 2
    case $kernel in /*) ;; *) kernel=/scenario/$kernel ;; esac
    for line; do
        given="$given ${line%%=*}"
        [ "$line" != 'type="hvm"' ] || hvm=yes
        printf '%s\n' "$line"
    done
    case $kernel,$hvm in
    *.iso,*) set -- 'type="hvm"' "disk=['file:$kernel,hdc:cdrom,r']" ;;
    # The device model takes its loader for one of QEMU's other machines, which waits for ever in Xen's (docs/XL.md).
    *,yes) set -- "kernel=\"$kernel\"" 'device_model_args=["-L","/scenario","-global","rtl8139.romfile="]' ;;
    *) set -- "type=\"$guest\"" "kernel=\"$kernel\"" memory=32 ;;
    esac
    case $kernel,$hvm in *.iso,* | *,yes) set -- "$@" nographic=1 "serial=['file:/tmp/$name.serial']" 'tsc_mode="native"' memory=64 'vga="none"' ;; esac
    for line in "name=\"$name\"" "$@" vcpus=1 'on_poweroff="destroy"' 'on_crash="destroy"'; do
        case "$(echo $given) " in *"${line%%=*} "*) ;; *) printf '%s\n' "$line" ;; esac
    done
}

# What xl create had to say, without what it always says.
say_create() { grep -ve '^Parsing config from' -e 'qemu-xen is unavailable' -e '^got a tsc mode string' "$1"; }

create() {
    local name=$1 before after code
    domain_cfg "$@" >"/run/$name.cfg"
    before=$(now_ns)
    xl create $create_paused "/run/$name.cfg" >"/run/$name.create" 2>&1
    code=$?
    after=$(now_ns)
    echo "create_ns.$name $((after - before))" >>/run/timings
    say_create "/run/$name.create"
    return $code
}

console_log() { echo "/var/log/xen/console/guest-$1.log"; }
console_text() { cat "$(console_log "$1")"; }
console_has() { wait_for "$3" grep -qsaF -- "$2" "$(console_log "$1")"; }

console_tty() {
    local domid
    domid=$(xl domid "$1" 2>/dev/null) &&
        xenstore-read "/local/domain/$domid/console/tty" 2>/dev/null
}

has_console_tty() { [ -c "$(console_tty "$1")" ]; }

send_console() {
    wait_for 5 has_console_tty "$1" || { echo "send_console: $1 has no console"; return 1; }
    printf '%s\n' "$2" >"$(console_tty "$1")"
}

is_gone() { ! xl domid "$1" >/dev/null 2>&1; }
wait_gone() { wait_for "$2" is_gone "$1"; }

# xl's own process watches each domain and writes down why it ended; the last word counts.
shutdown_reason() {
    local code
    code=$(sed -n 's/.*has shut down, reason code \([0-9]*\).*/\1/p' "/var/log/xen/xl-$1.log" \
        2>/dev/null | tail -n 1)
    case $code in
    0) echo poweroff ;; 1) echo reboot ;; 2) echo suspend ;; 3) echo crash ;;
    4) echo watchdog ;; 5) echo soft_reset ;; *) echo "${code:-none}" ;;
    esac
}

reason_known() { [ "$(shutdown_reason "$1")" != none ]; }

report() { echo "xl: domain $1: $(shutdown_reason "$1")"; }

# console_follow NAME: copy what the domain writes to stdout until it is gone. It reads the log, the
# one copy that loses nothing: the tty may.
console_follow() {
    wait_for 5 [ -e "$(console_log "$1")" ] || return 1
    exec 4<"$(console_log "$1")"
    until is_gone "$1"; do
        cat <&4
        usleep 50000
    done
    cat <&4
}

# console_session NAME CFG: a domain with its console on stdin and stdout, until it is gone.
# Leaves the reason in out/reason; returns xl's exit code when there is no domain.
console_session() {
    local tty input= code
    exec 5<&0                   # sh gives a background command /dev/null as its stdin
    xl create -p "$2" >/run/create 2>&1
    code=$?
    say_create /run/create
    [ $code = 0 ] || return $code
    if wait_for 5 has_console_tty "$1"; then
        tty=$(console_tty "$1")
        cat <&5 >"$tty" &
        input=$!
    fi
    xl unpause "$1"
    console_follow "$1"
    [ -z "$input" ] || kill "$input" 2>/dev/null
    wait_for 5 reason_known "$1"        # xl's log may be behind
    shutdown_reason "$1" >/scenario/out/reason
}

# boot_time NAME KERNEL MARKER SECONDS [LINE...]: create a domain and measure from unpause to MARKER on
# its console. Adds boot_ns.NAME (dom0's clock) and boot_cpu_ns.NAME (the domain's CPU time, which is
# its instructions with the counted clock) to the timings. Needs the tool boottime in /scenario.
boot_time() {
    local name=$1 kernel=$2 marker=$3 seconds=$4 times
    shift 4
    create_paused=-p
    create "$name" "$kernel" "$@"
    create_paused=
    wait_for 5 [ -e "$(console_log "$name")" ] || return 1
    times=$(/scenario/boottime "$(xl domid "$name")" "$(console_log "$name")" "$marker" "$seconds") ||
        return 1
    echo "boot_ns.$name ${times% *}" >>/run/timings
    echo "boot_cpu_ns.$name ${times#* }" >>/run/timings
}
