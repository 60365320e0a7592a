# SPDX-License-Identifier: MIT
# For scenarios with a network: busybox sh, sourced by them. Clients that busybox has too are called by
# their paths, as its shell takes its own first.
#
#   serve APP ADDRESS [LINE...]   create $domain with one interface, and $options for its kernel; it answers.
#                                 With more than one vCPU it has a queue for each.
#   link_local ADDRESS            the IPv6 address that goes with it, from dom0
#   answers ADDRESS               one ping
#   vif                           the name of $domain's interface in dom0
#   $nic                          its name in the domain
#   pattern BYTES                 what http has in /bytes/BYTES
#   sum_of URL                    the MD5 sum of what curl gets there
#   up_again COUNT SECONDS        wait until $domain has said so often that its interface is connected, which it
#                                 does with the option -loglevel=info
#   relay MIB VCPUS [LINE...]     apps/netsum: so much out of the domain, through dom0 and back into it
#   rejoin                        put $domain's interface into the bridge, after netback has made it anew

# Nothing of this is for the world outside the bed, which would even answer in a domain's place.
brctl delif xenbr0 eth0 2>/dev/null
ip neigh flush dev xenbr0 >/dev/null 2>&1
echo 8 >/sys/module/xen_netback/parameters/max_queues

PING=/usr/bin/ping
TC=/usr/sbin/tc

answers() { $PING -q -c 1 -W 1 "$1" >/dev/null; }

serve() {
    local app=$1 address=$2 mac
    shift 2
    mac=$(printf '00:16:3e:00:00:%02x' "${address##*.}")
    boot "$app" "vif=[\"bridge=xenbr0,script=vif-bridge,mac=$mac\"]" \
        "extra=\"-ip=$address/24 $options\"" "$@"
    says "$nic: $address/24" 60
    wait_for 10 answers "$address" || fail "$address does not answer"
}

link_local() { printf 'fe80::216:3eff:fe00:%x%%xenbr0' "${1##*.}"; }

# The bed's own hotplug script knows no emulated cards: their taps go into the bridge, too.
case $again in rtl) nic=rtl0 tap=-emu ;; *) nic=vif0 tap= ;; esac
vif() { echo "vif$(xl domid "$domain").0$tap"; }
cat >/scenario/vif-card <<'END'
#!/bin/busybox sh
[ "$1" != add ] || ip link set "$INTERFACE" master xenbr0 up
exec /etc/xen/scripts/vif-bridge "$@"
END
chmod +x /scenario/vif-card

pattern() {
    awk 'BEGIN { for (i = 0; i < 1024; i++) print "Xenolith 0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOP" }' >pattern
    for _ in $(seq $((($1 + 65535) / 65536))); do
        cat pattern
    done | head -c "$1"
}

sum_of() { curl -sS --max-time 100 "$@" | md5sum; }

said() { [ "$(console_lines | grep -cF -- "$2")" -ge "$1" ]; }
up_again() { wait_for "$2" said "$1" "vif0: connected" || fail "not up again within $2 s"; }

rejoin() {
    wait_for 5 [ -e "/sys/class/net/$(vif)" ] || fail "no new vif"
    ip link set "$(vif)" master xenbr0
    ip link set "$(vif)" up
    xenstore-write "/local/domain/0/backend/vif/$(xl domid "$domain")/0/hotplug-status" connected
}

relay() {
    local bytes=$(($1 << 20)) vcpus=$2
    shift 2
    serve netsum 10.0.2.30 memory=64 "vcpus=$vcpus" "$@"
    echo $bytes | nc.openbsd 10.0.2.30 5011 | nc.openbsd -N 10.0.2.30 5010 >answer
    expect "came back" "$(cut -d' ' -f2 answer)" $bytes
    says "sent $bytes bytes, $(cut -d' ' -f1 answer)"
}
