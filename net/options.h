/* SPDX-License-Identifier: MIT
 *
 * The kernel option -ip=: one for each interface that gets its address by it, in their order.
 *
 *     -ip=10.0.0.2/24,gw=10.0.0.1,dns=10.0.0.1      static
 *     -ip=2001:db8::2/64                            static, IPv6
 *     -ip=dhcp                                      as without the option
 */
#pragma once
#include "lib/types.h"
#include "lwip/ip_addr.h"

#define NET_OPTION_DNS 2

struct net_option {
    bool set; /* false: by DHCP */
    ip_addr_t address, gateway, dns[NET_OPTION_DNS];
    unsigned int prefix;
};

/* Of the interface; NULL: there is none. Any context. */
const struct net_option *net_option(unsigned int number);
