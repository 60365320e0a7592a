/* SPDX-License-Identifier: MIT
 *
 * lwIP's interfaces over network devices: packets between pbufs and fragments, without copying
 * payload.  Received fragments become pbufs that hold their netbufs; sent ones are the netbufs the
 * segments hold, behind a header that is copied into a netbuf shared by the headers of many.
 *
 * A run of received packets is handled under one hold of the net lock: receive() takes it,
 * batch_end() lets it go, and with it goes out what the run caused.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/igmp.h"
#include "lwip/mld6.h"
#include "lwip/netif.h"
#include "netif/ethernet.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/tcp.h"
#include "lwip/prot/udp.h"
#include "mm/kmem.h"
#include "mm/page.h"
#include "net/core.h"
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
    struct netbuf *headers;
    unsigned int headers_used;
    struct xenolith_network counters;
    struct interface *next;
};

/* Who has the net lock for a run of packets: that queue's thread. */
static const struct thread *batch_thread; /* held: net lock */
static struct interface *interfaces;      /* held: net lock */
static struct xenolith_network gone;      /* held: net lock; of interfaces that went */
static struct waitq room = WAITQ_INIT_RANK(room, LOCK_CONDITION);

/* --- out --- */

/* Room for a header in a netbuf of headers, which gets one more user. NULL: no memory. */
static void *header_room(struct interface *ni, unsigned int len, struct netdev_frag *frag)
{
    if (!ni->headers || ni->headers_used + len > PAGE_SIZE) {
        struct netbuf *fresh = netbuf_alloc();

        if (!fresh)
            return NULL;
        if (ni->headers)
            netbuf_put(ni->headers);
        ni->headers = fresh;
        ni->headers_used = 0;
    }
    *frag = (struct netdev_frag){ ni->headers, (uint16_t)ni->headers_used, (uint16_t)len };
    netbuf_get(ni->headers);
    ni->headers_used += ROUND_UP(len, 16);
    return (char *)netbuf_page(ni->headers) + frag->offset;
}

static void packet_put(const struct netdev_packet *packet)
{
    for (unsigned int i = 0; i < packet->nfrags; i++)
        netbuf_put(packet->frag[i].buf);
}

/* Copy `p` from `offset` on, as far as it goes, to fragments of their own. False: no memory. */
static bool append_copy(struct interface *ni, struct netdev_packet *packet, const struct pbuf *p,
                        unsigned int offset, unsigned int len)
{
    while (len) {
        struct netdev_frag *frag = &packet->frag[packet->nfrags];
        unsigned int n = MIN(len, PAGE_SIZE);
        void *to;

        if (packet->nfrags == NETDEV_FRAGS_MAX)
            return false;
        /* Short ones share a page; what follows a whole page gets one. */
        to = header_room(ni, n, frag);
        if (!to)
            return false;
        packet->nfrags++;
        packet->len += n;
        pbuf_copy_partial(p, to, (u16_t)n, (u16_t)offset);
        offset += n;
        len -= n;
    }
    return true;
}

static bool append_netbuf(struct netdev_packet *packet, const struct pbuf *p)
{
    uint16_t offset = (uint16_t)((unsigned long)p->payload % PAGE_SIZE);
    struct netdev_frag *last = packet->nfrags ? &packet->frag[packet->nfrags - 1] : NULL;

    packet->len += p->len;
    if (last && last->buf == p->netbuf && last->offset + last->len == offset) {
        last->len += p->len;
        return true;
    }
    if (packet->nfrags == NETDEV_FRAGS_MAX)
        return false;
    packet->frag[packet->nfrags++] = (struct netdev_frag){ p->netbuf, offset, p->len };
    netbuf_get(p->netbuf);
    return true;
}

/* False: it does not fit, or no memory; nothing is held then. */
static bool packet_from(struct interface *ni, struct netdev_packet *packet, const struct pbuf *p)
{
    bool whole = ni->dev->features.sg, ok = true;

    *packet = (struct netdev_packet){ .nfrags = 0 };
    for (const struct pbuf *q = p; whole && ok && q; q = q->next)
        if (q->len)
            ok = q->netbuf ? append_netbuf(packet, q) : append_copy(ni, packet, q, 0, q->len);
    if (whole && ok)
        return true;
    /* Too many pieces for one packet, or for a side that wants one: copy. */
    packet_put(packet);
    *packet = (struct netdev_packet){ .nfrags = 0 };
    if (append_copy(ni, packet, p, 0, p->tot_len))
        return true;
    packet_put(packet);
    return false;
}

static uint16_t fold(uint32_t sum)
{
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)(sum + (sum >> 16));
}

/* Sum of `len` bytes, even, as 16-bit numbers in network order. */
static uint32_t sum_words(const void *data, unsigned int len)
{
    const uint16_t *word = data;
    uint32_t sum = 0;

    for (; len; len -= 2)
        sum += *word++;
    return sum;
}

/* If lwIP left the checksum of TCP or UDP to the device: put the pseudo-header's sum there and say
 * so. `frame`: what the first fragment has of it. */
static void mark_checksum(struct interface *ni, struct netdev_packet *packet, char *frame)
{
    unsigned int type = (uint8_t)frame[12] << 8 | (uint8_t)frame[13];
    char *ip = frame + 14, *transport;
    unsigned int proto, len;
    uint32_t sum;
    bool v6 = type == ETHTYPE_IPV6;

    if (type == ETHTYPE_IP && packet->frag[0].len >= 14 + IP_HLEN + 8) {
        const struct ip_hdr *h = (const void *)ip;

        if (IPH_OFFSET(h) & PP_HTONS(IP_MF | IP_OFFMASK))
            return;
        proto = IPH_PROTO(h);
        len = lwip_ntohs(IPH_LEN(h)) - IPH_HL_BYTES(h);
        transport = ip + IPH_HL_BYTES(h);
        sum = sum_words(&h->src, 8);
    } else if (v6 && packet->frag[0].len >= 14 + IP6_HLEN + 8) {
        const struct ip6_hdr *h = (const void *)ip;

        proto = IP6H_NEXTH(h);
        len = IP6H_PLEN(h);
        transport = ip + IP6_HLEN;
        sum = sum_words(&h->src, 32);
    } else {
        return;
    }
    if (ni->netif.chksum_flags &
        (proto == IP_PROTO_TCP ? NETIF_CHECKSUM_GEN_TCP : NETIF_CHECKSUM_GEN_UDP))
        return;
    sum += lwip_htons((uint16_t)proto) + lwip_htons((uint16_t)len);
    if (proto == IP_PROTO_TCP && packet->frag[0].len >= transport - frame + TCP_HLEN)
        ((struct tcp_hdr *)(void *)transport)->chksum = fold(sum);
    else if (proto == IP_PROTO_UDP)
        ((struct udp_hdr *)(void *)transport)->chksum = fold(sum);
    else
        return;
    packet->csum_blank = true;
}

/* Which queue: packets of a connection stay in order. */
static unsigned int choose_queue(const struct interface *ni, const char *frame, unsigned int len)
{
    unsigned int queues = ni->dev->features.queues;
    uint32_t ports;

    if (queues <= 1 || len < 14 + IP_HLEN + 4)
        return 0;
    memcpy(&ports, frame + 14 + (frame[12] == 8 ? IP_HLEN : len >= 58 ? IP6_HLEN : 0), 4);
    return (ports * 2654435761u >> 16) % queues;
}

static err_t send_pbuf(struct netif *netif, struct pbuf *p)
{
    struct interface *ni = netif->state;
    struct netdev_packet packet;
    unsigned int queue;
    char *frame;
    int rc;

    if (!ni->up || !ni->dev)
        return ERR_IF;
    if (ni->blocked)
        return ERR_WOULDBLOCK;
    if (!packet_from(ni, &packet, p) || packet.nfrags == 0)
        return ERR_MEM;
    frame = (char *)netbuf_page(packet.frag[0].buf) + packet.frag[0].offset;
    mark_checksum(ni, &packet, frame);
    if (p->gso_size && packet.len > netif->mtu + 14u) {
        packet.gso = frame[12] == 8 ? NETDEV_GSO_TCPV4 : NETDEV_GSO_TCPV6;
        packet.gso_size = p->gso_size;
    }
    queue = choose_queue(ni, frame, packet.frag[0].len);
    rc = ni->dev->ops->send(ni->dev, queue, &packet);
    if (rc == 0) {
        ni->unflushed |= 1UL << queue;
        ni->counters.packets_out++;
        ni->counters.bytes_out += packet.len;
        return ERR_OK;
    }
    packet_put(&packet);
    if (rc == -XEN_EAGAIN) {
        ni->blocked = true;
        return ERR_WOULDBLOCK;
    }
    ni->counters.dropped++;
    return ERR_IF;
}

void net_netif_flush(void)
{
    for (struct interface *ni = interfaces; ni; ni = ni->next) {
        for (unsigned int queue = 0; ni->unflushed; queue++) {
            if (ni->unflushed & 1UL << queue)
                ni->dev->ops->flush(ni->dev, queue);
            ni->unflushed &= ~(1UL << queue);
        }
    }
}

/* The queue has room again: whoever was refused tries again. */
static void device_tx_room(struct netdev *dev, unsigned int queue)
{
    struct interface *ni = dev->stack;
    struct tcp_pcb *pcb, *next;

    (void)queue;
    net_lock();
    ni->blocked = false;
    for (pcb = tcp_active_pcbs; pcb && !ni->blocked; pcb = next) {
        next = pcb->next;
        if (pcb->unsent || pcb->flags & TF_ACK_NOW)
            tcp_output(pcb);
    }
    waitq_wake_all(&room);
    net_unlock();
}

int net_netif_await_room(uint64_t deadline_ns)
{
    int rc = net_sleep(&room, deadline_ns);

    return rc == -XEN_EINTR ? -EINTR : rc ? -EAGAIN : 0;
}

bool net_netif_cuts(const struct netif *netif, bool v6)
{
    const struct interface *ni = netif->state;

    if (netif == net_loopback)
        return true;
    return ni->dev && ni->dev->features.sg &&
           (v6 ? ni->dev->features.gso_tcpv6 : ni->dev->features.gso_tcpv4);
}

void net_netif_checksum_udp(struct netif *netif, bool by_lwip)
{
    const struct interface *ni = netif->state;

    if (netif == net_loopback)
        return;
    if (by_lwip || !(ni->dev && ni->dev->features.csum_ipv4 && ni->dev->features.csum_ipv6))
        netif->chksum_flags |= NETIF_CHECKSUM_GEN_UDP;
    else
        netif->chksum_flags &= (u16_t)~NETIF_CHECKSUM_GEN_UDP;
}

/* --- in --- */

/* As pbufs, which take over the fragments' uses. The headers lie in one piece. NULL: no memory. */
static struct pbuf *pbufs_from(struct netdev_packet *packet)
{
    struct pbuf *head = NULL, **end = &head;
    unsigned int left = packet->len, i;

    for (i = 0; i < packet->nfrags; i++) {
        struct netdev_frag *frag = &packet->frag[i];
        struct pbuf *p = pbuf_alloc_reference((char *)netbuf_page(frag->buf) + frag->offset,
                                              frag->len, PBUF_REF);

        if (!p)
            break;
        p->netbuf = frag->buf;
        p->tot_len = (u16_t)left;
        left -= frag->len;
        *end = p;
        end = &p->next;
    }
    if (i == packet->nfrags)
        return head;
    for (; i < packet->nfrags; i++)
        netbuf_put(packet->frag[i].buf);
    if (head) {
        pbuf_free(head);
    }
    return NULL;
}

/* The largest headers lwIP reads in one piece. */
#define HEADERS_MAX 160

static struct pbuf *pull_up(struct pbuf *p)
{
    unsigned int len = MIN(p->tot_len, HEADERS_MAX);
    struct pbuf *head, *rest = p;

    if (p->len >= len)
        return p;
    head = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_RAM);
    if (!head) {
        pbuf_free(p);
        return NULL;
    }
    pbuf_copy_partial(p, head->payload, (u16_t)len, 0);
    rest = pbuf_free_header(p, (u16_t)len);
    if (rest)
        pbuf_cat(head, rest);
    return head;
}

static void device_receive(struct netdev *dev, unsigned int queue, struct netdev_packet *packet)
{
    struct interface *ni = dev->stack;
    struct pbuf *p;

    (void)queue;
    if (load_once(&batch_thread) != current_thread()) {
        net_lock();
        store_once(&batch_thread, current_thread());
    }
    ni->counters.packets_in++;
    ni->counters.bytes_in += packet->len;
    p = pbufs_from(packet);
    p = p ? pull_up(p) : NULL;
    if (!p) {
        ni->counters.dropped++;
        return;
    }
    if (packet->csum_valid || packet->csum_blank)
        ni->netif.chksum_flags &= (u16_t) ~(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP);
    else
        ni->netif.chksum_flags |= NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP;
    if (ni->netif.input(p, &ni->netif) != ERR_OK)
        pbuf_free(p);
}

static void device_batch_end(struct netdev *dev, unsigned int queue)
{
    (void)dev, (void)queue;
    if (load_once(&batch_thread) != current_thread())
        return; /* nothing came */
    store_once(&batch_thread, NULL);
    net_unlock();
}

/* --- multicast --- */

static void filter(struct interface *ni, const uint8_t mac[6], bool join)
{
    if (ni->up && ni->dev->features.multicast_control)
        ni->dev->ops->multicast(ni->dev, mac, join); /* refused for lack of room: lwIP asks again */
}

static err_t filter_v4(struct netif *netif, const ip4_addr_t *group,
                       enum netif_mac_filter_action action)
{
    const uint8_t mac[6] = {
        0x01, 0x00, 0x5e, ip4_addr2(group) & 0x7f, ip4_addr3(group), ip4_addr4(group)
    };

    filter(netif->state, mac, action == NETIF_ADD_MAC_FILTER);
    return ERR_OK;
}

static err_t filter_v6(struct netif *netif, const ip6_addr_t *group,
                       enum netif_mac_filter_action action)
{
    const uint8_t *last = (const uint8_t *)&group->addr[3];
    const uint8_t mac[6] = { 0x33, 0x33, last[0], last[1], last[2], last[3] };

    filter(netif->state, mac, action == NETIF_ADD_MAC_FILTER);
    return ERR_OK;
}

/* The other side has forgotten what was joined. */
static void filter_again(struct interface *ni)
{
    for (struct igmp_group *g = netif_igmp_data(&ni->netif); g; g = g->next)
        filter_v4(&ni->netif, &g->group_address, NETIF_ADD_MAC_FILTER);
    for (struct mld_group *g = netif_mld6_data(&ni->netif); g; g = g->next)
        filter_v6(&ni->netif, &g->group_address, NETIF_ADD_MAC_FILTER);
}

/* --- devices come and go --- */

static void device_link(struct netdev *dev, bool up)
{
    struct interface *ni = dev->stack;
    struct netif *netif = &ni->netif;
    uint16_t flags = NETIF_CHECKSUM_ENABLE_ALL;

    if (!ni)
        return;
    net_lock();
    ni->up = up;
    ni->blocked = false;
    ni->unflushed = 0;
    if (up) {
        netif->mtu = (u16_t)MIN(dev->features.mtu, 65535u);
        netif->mtu6 = netif->mtu;
        /* lwIP asks per interface, not per family: both or none. */
        if (dev->features.csum_ipv4 && dev->features.csum_ipv6)
            flags &= (u16_t) ~(NETIF_CHECKSUM_GEN_TCP | NETIF_CHECKSUM_GEN_UDP);
        NETIF_SET_CHECKSUM_CTRL(netif, flags);
        netif_set_link_up(netif);
        filter_again(ni);
    } else {
        netif_set_link_down(netif);
        waitq_wake_all(&room);
    }
    net_configure(netif, ni->number, up);
    net_unlock();
}

static err_t netif_prepare(struct netif *netif)
{
    struct interface *ni = netif->state;

    netif->name[0] = 'e';
    netif->name[1] = 'n';
    memcpy(netif->hwaddr, ni->dev->mac, 6);
    netif->hwaddr_len = 6;
    netif->mtu = 1500;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
                   NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = send_pbuf;
    netif->hostname = "xenolith";
    return ERR_OK;
}

static unsigned int free_number(void)
{
    unsigned int number = 0;

    for (struct interface *ni = interfaces; ni;) {
        if (ni->number == number) {
            number++;
            ni = interfaces;
        } else {
            ni = ni->next;
        }
    }
    return number;
}

static void device_added(struct netdev *dev)
{
    struct interface *ni = kmem_alloc(sizeof(*ni));

    if (!ni) {
        log_error("%s: no memory for an interface", dev->name);
        return;
    }
    ni->dev = dev;
    net_lock();
    ni->number = free_number();
    netif_add_noaddr(&ni->netif, ni, netif_prepare, ethernet_input);
    netif_set_igmp_mac_filter(&ni->netif, filter_v4);
    netif_set_mld_mac_filter(&ni->netif, filter_v6);
    netif_create_ip6_linklocal_address(&ni->netif, 1);
    netif_set_ip6_autoconfig_enabled(&ni->netif, 1);
    if (!netif_default || netif_default == net_loopback)
        netif_set_default(&ni->netif);
    netif_set_up(&ni->netif);
    ni->next = interfaces;
    interfaces = ni;
    dev->stack = ni;
    dev->receive = device_receive;
    dev->batch_end = device_batch_end;
    dev->tx_room = device_tx_room;
    dev->link = device_link;
    net_unlock();
}

static void count(struct xenolith_network *sum, const struct xenolith_network *more)
{
    sum->packets_in += more->packets_in;
    sum->bytes_in += more->bytes_in;
    sum->packets_out += more->packets_out;
    sum->bytes_out += more->bytes_out;
    sum->dropped += more->dropped;
}

static void device_removed(struct netdev *dev)
{
    struct interface *ni = dev->stack, **at = &interfaces;

    dev->stack = NULL;
    if (!ni)
        return;
    net_lock();
    net_configure(&ni->netif, ni->number, false);
    while (*at != ni)
        at = &(*at)->next;
    *at = ni->next;
    netif_remove(&ni->netif);
    if (!netif_default)
        netif_set_default(interfaces ? &interfaces->netif : NULL);
    if (ni->headers)
        netbuf_put(ni->headers);
    count(&gone, &ni->counters);
    waitq_wake_all(&room);
    net_unlock();
    kmem_free(ni);
}

void net_netif_name(const struct netif *netif, char *name, size_t size)
{
    const struct interface *ni = netif->state;

    snprintf(name, size, "%s", netif == net_loopback ? "lo" : ni->dev->name);
}

struct netif *net_netif_find(const char *name)
{
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        char own[16];

        net_netif_name(netif, own, sizeof(own));
        if (strcmp(own, name) == 0)
            return netif;
    }
    return NULL;
}

unsigned int net_netif_number(const struct netif *netif)
{
    return ((const struct interface *)netif->state)->number;
}

void xenolith_get_network(struct xenolith_network *network)
{
    net_lock();
    *network = gone;
    for (const struct interface *ni = interfaces; ni; ni = ni->next)
        count(network, &ni->counters);
    net_unlock();
}

void net_netif_start(void)
{
    static const struct netdev_listener listener = { device_added, device_removed };

    netdev_listen(&listener);
}
