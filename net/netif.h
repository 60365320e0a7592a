/* SPDX-License-Identifier: MIT
 *
 * lwIP's interfaces over network devices.  held: net lock, unless it says something else.
 */
#pragma once
#include "lib/types.h"

struct netif;
struct netdev;

/* Take devices from here on. Thread context, net lock not held. */
void net_netif_start(void);
/* Have all devices send what was queued. */
void net_netif_flush(void);
/* Does whoever is behind this interface cut large TCP segments? */
bool net_netif_cuts(const struct netif *netif, bool v6);
/* Whether lwIP makes the checksum of the next UDP message, and not the device. */
void net_netif_checksum_udp(struct netif *netif, bool by_lwip);
/* Sleep until a device that refused a packet has room again. 0, -EAGAIN, -EINTR. */
int net_netif_await_room(uint64_t deadline_ns);

/* As it is called outside of lwIP, "lo" or the device's name; cut to `size`. */
void net_netif_name(const struct netif *netif, char *name, size_t size);
struct netif *net_netif_find(const char *name);
/* Which of the devices' it is, from 0. Not the loopback. */
unsigned int net_netif_number(const struct netif *netif);

/* --- net/configure.c --- */

/* The interface's link is up or down: give it addresses, or stop asking for some. `number`: which
 * ip= option is meant for it. */
void net_configure(struct netif *netif, unsigned int number, bool up);
/* It is gone: nothing of it stays in xenstore. */
void net_configure_forget(unsigned int number);
