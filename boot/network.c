/* SPDX-License-Identifier: MIT
 *
 * The drivers of network devices.  This file is in the image of a program that uses the network
 * (net/netdev.c refers to it) and in no other; boot/start.c calls it if it is there.
 */
#include "net/netdev.h"

void network_start(void)
{
}
