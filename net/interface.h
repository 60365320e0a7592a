/* SPDX-License-Identifier: MIT
 *
 * What the files of lwIP's interfaces share: one over each network device.  Private to netif.c,
 * packet.c, transmit.c, receive.c and filter.c.  held: net lock, unless it says something else.
 */
#pragma once
#include "lwip/netif.h"
#include "net/netdev.h"
#include "net/netif.h"
#include "xenolith.h"

struct interface {
    struct netif netif;
    struct netdev *dev;
    unsigned int number; /* of the device, as they came */
    bool up;
    /* held: net lock */
    uint64_t unflushed; /* queues that have not been told */
    bool blocked;       /* a queue is full; until tx_room() */
    bool filters_late;  /* not all that was joined could be told; until then, too */
    struct netbuf *headers;
    unsigned int headers_used;
    struct xenolith_network counters;
    struct interface *next;
};

extern struct interface *net_interfaces;

/* packet.c */
/* What lwIP sends as a packet of fragments, which has uses of their netbufs. False: it does not
 * fit, or no memory; nothing is held then. */
bool interface_make_packet(struct interface *ni, struct netdev_packet *packet,
                           const struct pbuf *p);
void interface_put_packet(const struct netdev_packet *packet);
/* If lwIP left the checksum of TCP or UDP to the device: put the pseudo-header's sum there and say
 * so. `frame`: what the first fragment has of it. */
void interface_mark_checksum(struct interface *ni, struct netdev_packet *packet, char *frame);

/* transmit.c */
/* lwIP's linkoutput. */
err_t interface_send(struct netif *netif, struct pbuf *p);
/* netdev's tx_room. Net lock not held. */
void interface_tx_room(struct netdev *dev, unsigned int queue);
/* Whoever waits for room looks again: the device went. */
void interface_wake_refused(void);

/* receive.c: netdev's receive and batch_end. Net lock not held. */
void interface_receive(struct netdev *dev, unsigned int queue, struct netdev_packet *packet);
void interface_end_batch(struct netdev *dev, unsigned int queue);

/* filter.c */
void interface_prepare_filters(struct netif *netif);
/* The other side has forgotten what was joined, or never heard of some of it. */
void interface_filter_again(struct interface *ni);
