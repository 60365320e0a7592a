/* SPDX-License-Identifier: MIT
 *
 * The network card that xl's model=rtl8139 gives an HVM domain, a Realtek RTL8139C+.  Each is
 * announced as a struct netdev (net/netdev.h), "rtl0" and so on; what is sent is none of the
 * driver's business.  Follows Realtek's data sheet RTL8139C+ and QEMU hw/net/rtl8139.c.
 */
#pragma once
#include "lib/types.h"

/* Look for cards on the PCI bus; each then lives in a thread of its own. How many there are that
 * can be used. HVM domains only; once, thread context. */
unsigned int rtl8139_start(void);
/* Has one of them this address? Thread context, after that. */
bool rtl8139_has(const uint8_t mac[6]);
