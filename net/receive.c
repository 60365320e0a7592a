/* SPDX-License-Identifier: MIT
 *
 * Receiving: packets become pbufs that hold their netbufs; payload is not copied.  A run of packets
 * is handled under one hold of the net lock: interface_receive() takes it, interface_end_batch()
 * lets it go, and with it goes out what the run caused.
 */
#include "kernel/thread.h"
#include "lwip/prot/etharp.h"
#include "lwip/prot/ip.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/udp.h"
#include "mm/page.h"
#include "net/budget.h"
#include "net/core.h"
#include "net/interface.h"
#include "net/memory.h"

/* Who has the net lock for a run of packets: that queue's thread. */
static const struct thread *batch_thread; /* held: net lock */

/* As pbufs, which take over the fragments' uses. The headers lie in one piece. NULL: no memory. */
static struct pbuf *pbufs_from(struct netdev_packet *packet)
{
    struct pbuf *head = NULL, **end = &head;
    unsigned int left = packet->len, i;

    for (i = 0; i < packet->nfrags; i++) {
        struct netdev_frag *frag = &packet->frag[i];
        struct pbuf *p =
            net_pbuf_received(frag->buf, (char *)netbuf_page(frag->buf) + frag->offset, frag->len);

        if (!p)
            break;
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

/* The largest headers lwIP reads in one piece; and it may look so far behind the last byte of a
 * packet that ends within them, which must not be another page. */
#define HEADERS_MAX 160
#define BEHIND_MAX  64

static bool ends_with_its_page(const struct pbuf *p)
{
    return ((unsigned long)p->payload + p->len - 1) % PAGE_SIZE >= PAGE_SIZE - BEHIND_MAX;
}

/* Headers in one piece, with room behind. NULL: no memory. */
static struct pbuf *pull_up(struct pbuf *p)
{
    unsigned int len = MIN(p->tot_len, HEADERS_MAX);
    struct pbuf *head, *rest = p;

    if (p->len >= len && !ends_with_its_page(p))
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

/* A part of a packet of IP, which would wait for the others. `p` begins with the link's header. */
static bool is_fragment(const struct pbuf *p)
{
    const uint8_t *frame = p->payload;

    if (p->len >= 14 + IP_HLEN && frame[12] == 0x08 && frame[13] == 0x00)
        return frame[20] & 0x3f || frame[21]; /* offset and "more" */
    return p->len >= 14 + IP6_HLEN && frame[12] == 0x86 && frame[13] == 0xdd &&
           frame[20] == IP6_NEXTH_FRAGMENT;
}

/* Of a packet of IPv4, the header being there: the one of UDP comes behind it, as in all but the
 * later parts of one. */
static bool has_udp_header(const uint8_t *frame)
{
    return frame[23] == IP_PROTO_UDP && !(frame[20] & 0x1f || frame[21]);
}

/* Shorter than what lwIP reads before it looks at the length: a header, of UDP also the ports. */
static bool is_cut_short(const struct pbuf *p)
{
    const uint8_t *frame = p->payload;
    unsigned int len = 0;

    if (p->len < 14)
        return true;
    if (frame[12] == 0x08 && frame[13] == 0x00)
        len = p->len < 14 + IP_HLEN   ? IP_HLEN
              : has_udp_header(frame) ? (frame[14] & 0xfu) * 4 + UDP_HLEN
                                      : IP_HLEN;
    else if (frame[12] == 0x08 && frame[13] == 0x06)
        len = SIZEOF_ETHARP_HDR;
    else if (frame[12] == 0x86 && frame[13] == 0xdd)
        len = IP6_HLEN;
    return p->len < 14 + len;
}

void interface_receive(struct netdev *dev, unsigned int queue, struct netdev_packet *packet)
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
    if (p && (is_cut_short(p) || (net_budget_is_tight() && is_fragment(p)))) {
        pbuf_free(p);
        p = NULL;
    }
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

void interface_end_batch(struct netdev *dev, unsigned int queue)
{
    (void)dev, (void)queue;
    if (load_once(&batch_thread) != current_thread())
        return; /* nothing came */
    store_once(&batch_thread, NULL);
    net_unlock();
}
