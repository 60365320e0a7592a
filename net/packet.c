/* SPDX-License-Identifier: MIT
 *
 * What lwIP sends as packets of network devices: the netbufs that hold a segment's payload, behind
 * a header that is copied into a netbuf shared by the headers of many.  Nothing else is copied,
 * unless the device wants everything in one piece.
 */
#include "lwip/inet_chksum.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/ip.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/tcp.h"
#include "lwip/prot/udp.h"
#include "mm/page.h"
#include "net/interface.h"

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

void interface_put_packet(const struct netdev_packet *packet)
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

bool interface_make_packet(struct interface *ni, struct netdev_packet *packet, const struct pbuf *p)
{
    bool whole = ni->dev->features.sg, ok = true;

    *packet = (struct netdev_packet){ .nfrags = 0 };
    for (const struct pbuf *q = p; whole && ok && q; q = q->next)
        if (q->len)
            ok = q->netbuf ? append_netbuf(packet, q) : append_copy(ni, packet, q, 0, q->len);
    if (whole && ok)
        return true;
    /* Too many pieces for one packet, or for a side that wants one: copy. */
    interface_put_packet(packet);
    *packet = (struct netdev_packet){ .nfrags = 0 };
    if (append_copy(ni, packet, p, 0, p->tot_len))
        return true;
    interface_put_packet(packet);
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

void interface_mark_checksum(struct interface *ni, struct netdev_packet *packet, char *frame)
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
