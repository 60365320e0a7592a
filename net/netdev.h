/* SPDX-License-Identifier: MIT
 *
 * What a network driver offers and is offered: packets in netbufs, devices that come and go.  It
 * knows neither Xen's rings nor a TCP/IP stack, so that netfront, other drivers and whoever takes
 * their devices can be tested apart.
 *
 * A packet is a chain of fragments, each a piece of a netbuf: a page of the direct map that holds
 * packet bytes and nothing else, ever, because a backend may be shown the whole page.  Netbufs are
 * counted; a page may carry pieces of several packets (a header here, payload there).
 */
#pragma once
#include "arch/page.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/types.h"

struct netbuf {
    void *page;          /* PAGE_SIZE bytes */
    uint32_t refs;       /* users; 1 while it is in a pool */
    uint32_t reserved;   /* padding */
    struct netbuf *next; /* the pool's */
};

/* One user, content undefined (zeroes or bytes of old packets); NULL: no memory. Any context. */
struct netbuf *netbuf_alloc(void);
/* As many as there are, at most `count`, at once: how many. */
unsigned int netbuf_alloc_some(struct netbuf **bufs, unsigned int count);
/* From here on each is of zeroes: who sees one device's packets may not see another's. Any context.
 */
void netbuf_scrub(void);
/* The last user is gone: netbuf_put()'s slow half. */
void netbuf_free(struct netbuf *buf);
/* The same of several, linked by `next`. */
void netbuf_free_list(struct netbuf *first);
/* Forget the netbuf but not its page, which is the caller's now (who is the only user). Any
 * context. */
void *netbuf_take_page(struct netbuf *buf);

/* One more user. Any context. */
static inline void netbuf_get(struct netbuf *buf)
{
    (void)__atomic_fetch_add(&buf->refs, 1, __ATOMIC_RELAXED);
}

/* One user less; true if it was the last, who owes netbuf_free(). Any context. */
static inline bool netbuf_leave(struct netbuf *buf)
{
    /* The only user needs no locked instruction: nobody else can add one. */
    return load_acquire(&buf->refs) == 1 ||
           __atomic_fetch_sub(&buf->refs, 1, __ATOMIC_ACQ_REL) == 1;
}

/* One user less. Any context. */
static inline void netbuf_put(struct netbuf *buf)
{
    if (netbuf_leave(buf))
        netbuf_free(buf);
}

static inline void *netbuf_page(const struct netbuf *buf)
{
    return buf->page;
}

/* Netbufs that exist, and of these unused in pools. Any context. */
struct netbuf_stats {
    unsigned long total, pooled;
};
void netbuf_get_stats(struct netbuf_stats *stats);

/* --- packets --- */

#define NETDEV_FRAGS_MAX 18
#define NETDEV_LEN_MAX   65535 /* of a packet, Ethernet header included */

struct netdev_frag {
    struct netbuf *buf;
    uint16_t offset, len; /* within the page; len > 0 */
};

enum netdev_gso { NETDEV_GSO_NONE, NETDEV_GSO_TCPV4, NETDEV_GSO_TCPV6 };

/* An Ethernet frame without its checksum. The first fragment holds at least the 14-byte header. */
struct netdev_packet {
    unsigned int nfrags, len; /* len: the sum of the fragments' */
    bool csum_blank;          /* the TCP or UDP checksum holds only the sum of the pseudo-header */
    bool csum_valid;          /* received: the TCP or UDP checksum need not be looked at */
    uint8_t gso;              /* enum netdev_gso; implies csum_blank */
    uint16_t gso_size;        /* with gso: TCP payload bytes of each segment */
    struct netdev_frag frag[NETDEV_FRAGS_MAX];
};

/* --- devices --- */

/* What the other side takes. Valid while the link is up; may be different after a reconnection. */
struct netdev_features {
    bool csum_ipv4, csum_ipv6; /* packets with csum_blank */
    bool gso_tcpv4, gso_tcpv6; /* packets with gso */
    bool sg;                   /* more than one fragment, and more than one page */
    bool multicast_control;    /* ops->multicast works; without it every multicast arrives */
    unsigned int mtu;          /* of the IP packet: the frame has 14 bytes more */
    unsigned int queues;       /* 1..; queue n's thread runs on vCPU n of those online */
};

struct netdev;

/* What the driver does. Thread context, any thread; queue < features.queues. */
struct netdev_ops {
    /* 0: queued, and the fragments' references are the driver's, until the other side is done with
     * them (a few may be kept longer, until something else is sent or received). -XEN_EAGAIN: no
     * room, nothing was taken, tx_room() will be called. -XEN_ENOTCONN: the link is down. Other
     * errors: this packet can't be sent, nothing was taken. The packet itself stays the caller's.
     */
    int (*send)(struct netdev *dev, unsigned int queue, const struct netdev_packet *packet);
    /* Tell the other side what send() queued; until then it may not look. After the last of a run
     * of packets. */
    void (*flush)(struct netdev *dev, unsigned int queue);
    /* Receive packets to this multicast address, or no longer. 0, -XEN_EAGAIN: try again after
     * tx_room(); -XEN_ENOSYS: every multicast arrives anyway. What was joined is forgotten when the
     * link goes down. */
    int (*multicast)(struct netdev *dev, const uint8_t mac[6], bool join);
};

struct netdev {
    /* The driver's, unchanged while the device exists (features: while its link is up). */
    char name[12]; /* "vif0" */
    uint8_t mac[6];
    struct netdev_features features;
    const struct netdev_ops *ops;
    void *driver;
    /* Of who takes the device, set in `added`; each may be NULL. */
    void *stack;
    /* Every multicast address that is wanted, ff:ff:ff:ff:ff:ff apart, is told by ops->multicast()
     * after link(): no other need arrive. */
    bool filter_multicast;
    /* A packet came; the fragments' references are the callee's, the packet is not. The queue's
     * thread; runs of different queues at the same time. */
    void (*receive)(struct netdev *dev, unsigned int queue, struct netdev_packet *packet);
    /* After a run of receive() calls: what they want sent may go out now. The queue's thread. */
    void (*batch_end)(struct netdev *dev, unsigned int queue);
    /* After -XEN_EAGAIN: there is room again. The queue's thread. */
    void (*tx_room)(struct netdev *dev, unsigned int queue);
    /* Connected (features are valid) or not any more. Called after `added` and before `removed`
     * only, one at a time; down: no receive() begins any more. The driver's thread. */
    void (*link)(struct netdev *dev, bool up);

    struct list entry; /* the rest is netdev.c's */
    bool up;
};

/* A driver announces a device, its link down. The driver's thread. */
void netdev_add(struct netdev *dev);
/* And takes it back, its link down again; when this returns nobody else knows it. */
void netdev_remove(struct netdev *dev);

/* Who takes devices. One at a time each, in the driver's thread or in netdev_listen()'s. */
struct netdev_listener {
    void (*added)(struct netdev *dev);
    void (*removed)(struct netdev *dev); /* let go of it before this returns */
};
/* There is one listener, for ever. No function of netdev.c is called with a lock held that the
 * listener or a device's link() takes. Devices that are there already are announced to it before
 * this returns, links that are up with them. A program that has this in its image has the drivers
 * in it too: boot/network.c. Thread context. */
void netdev_listen(const struct netdev_listener *listener);
/* The driver's side of link(): tells the listener, also one that comes later. */
void netdev_set_link(struct netdev *dev, bool up);

/* Starts the drivers; boot/network.c. In the image only with who refers to it: netdev_listen(). */
void network_start(void);
