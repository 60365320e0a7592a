#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# Hotplug script of dom0's network backends: puts a domain's vif into the bridge. libxl calls it
# with "online" or "offline" and says which vif in the environment (Xen docs/misc/xl-network-*).
case $1 in
online)
    ip link set "$vif" master "$(xenstore-read "$XENBUS_PATH/bridge" 2>/dev/null || echo xenbr0)" &&
        ip link set "$vif" up &&
        xenstore-write "$XENBUS_PATH/hotplug-status" connected ||
        xenstore-write "$XENBUS_PATH/hotplug-status" error
    ;;
offline)
    ip link set "$vif" down 2>/dev/null
    ;;
esac
exit 0
