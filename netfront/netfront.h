/* SPDX-License-Identifier: MIT
 *
 * The frontend of paravirtual network interfaces.  It announces each as a struct netdev
 * (net/netdev.h) and knows nothing of what is sent.  Follows Xen public/io/netif.h.
 */
#pragma once
#include "lib/types.h"

/* What can be left out, for tests and for odd backends. */
enum netfront_feature {
    NETFRONT_SG,         /* packets of more than one page */
    NETFRONT_GSO,        /* TCP segmentation by whoever must */
    NETFRONT_CSUM,       /* blank checksums */
    NETFRONT_MULTIQUEUE, /* more than one queue */
    NETFRONT_SPLIT,      /* event channels of their own for each direction */
    NETFRONT_MULTICAST,  /* the backend filters multicast */
    NETFRONT_CTRL,       /* the backend spreads packets over queues as we say */
    NETFRONT_FEATURES
};

/* Before netfront_start(): do without this. */
void netfront_turn_off(enum netfront_feature feature);
/* Before netfront_start(): interfaces with an address that `others` says yes to are somebody
 * else's. It is called in threads of interfaces. */
void netfront_leave_to(bool (*others)(const uint8_t mac[6]));
/* Look for interfaces, now and whenever the toolstack attaches one; each then lives in a thread of
 * its own. Nothing waits for a backend, and for xenstored at most one try's time: a thread goes on
 * asking it. Once, thread context. 0, or why the toolstack's directory can't be watched. */
int netfront_start(void);
