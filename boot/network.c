/* SPDX-License-Identifier: MIT
 *
 * The drivers of network devices.  This file is in the image of a program that uses the network
 * (net/netdev.c refers to it) and in no other; boot/start.c calls it if it is there.
 */
#include "lib/log.h"
#include "net/netdev.h"
#include "netfront/netfront.h"

void network_start(void)
{
    int rc = netfront_start();

    if (rc)
        log_error("netfront: no interfaces: %s", error_name(rc));
}
