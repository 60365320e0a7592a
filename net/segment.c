/* SPDX-License-Identifier: MIT
 *
 * What lwIP lacks for throughput: TCP segments of up to 64 KiB, which the other side of the device
 * cuts (GSO), with their payload in netbufs.
 *
 * lwIP cuts what is written by pcb->mss.  That field stays the real one, which the congestion
 * window counts in; only while tcp_write() runs it is larger.  Before lwIP sends, fit() cuts what
 * waits to what the windows have room for, in whole packets; so lwIP never waits for a window to
 * take 64 KiB at once.  What is sent again because a packet was lost is cut to that packet, and
 * what of it was acknowledged already is dropped.
 *
 * The Makefile compiles lwIP's tcp_out.c with these functions' names in front: its own are lwip_*
 * here, and the rest of lwIP calls ours.  held: net lock, everywhere.
 */
#include <string.h>
#include "lwip/opt.h"
#include "lwip/etharp.h"
#include "lwip/inet_chksum.h"
#include "lwip/ethip6.h"
#include "lwip/ip4.h"
#include "lwip/ip6.h"
#include "lwip/memp.h"
#include "lwip/priv/tcp_priv.h"
#include "net/budget.h"
#include "net/netdev.h"
#include "net/netif.h"
#include "net/segment.h"

/* With the largest headers and the link's it still counts in 16 bits, and takes at most 17 pages.
 */
#define SEGMENT_MAX 64000

err_t lwip_tcp_output(struct tcp_pcb *pcb);
void lwip_tcp_rexmit_fast(struct tcp_pcb *pcb);
void lwip_tcp_rexmit_rto_commit(struct tcp_pcb *pcb);

static struct netbuf *writing; /* during tcp_write() */
static uint16_t packet_len;    /* during lwip_tcp_output(): TCP payload of a whole packet */

/* --- writing --- */

/* tcp_out.c's pbuf_alloc(). */
struct pbuf *net_pbuf_alloc(pbuf_layer layer, u16_t len, pbuf_type type)
{
    struct pbuf *p = pbuf_alloc(layer, len, type);

    if (p && type == PBUF_ROM && writing) {
        netbuf_get(writing);
        net_sent_pages++;
        p->netbuf = writing;
    }
    return p;
}

/* Payload of one packet: no options are sent with data. */
static uint16_t payload_max(const struct tcp_pcb *pcb)
{
    return MAX(pcb->mss, 1);
}

int net_segment_write(struct tcp_pcb *pcb, struct netbuf *buf, const void *data, uint16_t len,
                      bool more)
{
    uint16_t mss = pcb->mss;
    err_t err;

    writing = buf;
    pcb->mss = SEGMENT_MAX - SEGMENT_MAX % payload_max(pcb);
    err = tcp_write(pcb, data, len, more ? TCP_WRITE_FLAG_MORE : 0);
    pcb->mss = mss;
    writing = NULL;
    return err;
}

size_t net_segment_room(const struct tcp_pcb *pcb)
{
    /* Each netbuf may need a pbuf of its own and one for a header. */
    unsigned int pbufs = TCP_SND_QUEUELEN - MIN(pcb->snd_queuelen, TCP_SND_QUEUELEN);

    return MIN(MIN(pcb->snd_buf, pbufs / 2 * (size_t)1024),
               net_budget_to_send(TCP_SND_BUF - pcb->snd_buf));
}

/* --- cutting --- */

static uint32_t seg_sequence(const struct tcp_seg *seg)
{
    return lwip_ntohl(seg->tcphdr->seqno);
}

/* A segment for the payload `tail`, without its pbufs in front; tail's is the caller's on NULL. */
static struct tcp_seg *seg_new(const struct tcp_seg *from, struct pbuf *tail, uint32_t sequence)
{
    struct pbuf *head = pbuf_alloc(PBUF_TRANSPORT, 0, PBUF_RAM);
    struct tcp_seg *seg = head ? memp_malloc(MEMP_TCP_SEG) : NULL;

    if (!seg) {
        if (head)
            pbuf_free(head);
        return NULL;
    }
    *seg = (struct tcp_seg){ .p = head, .len = tail->tot_len, .flags = from->flags };
    pbuf_add_header(head, TCP_HLEN);
    seg->tcphdr = head->payload;
    *seg->tcphdr = *from->tcphdr;
    seg->tcphdr->seqno = lwip_htonl(sequence);
    head->next = tail;
    head->tot_len += tail->tot_len;
    return seg;
}

/* The part of `p` from `offset` on, as a pbuf of its own; p keeps all. */
static struct pbuf *pbuf_rest(struct pbuf *p, uint16_t offset)
{
    uint16_t len = p->len - offset;
    struct pbuf *rest = pbuf_alloc(PBUF_RAW, len, p->netbuf ? PBUF_ROM : PBUF_RAM);

    if (!rest)
        return NULL;
    if (p->netbuf) {
        rest->payload = (char *)p->payload + offset;
        rest->netbuf = p->netbuf;
        netbuf_get(rest->netbuf);
        net_sent_pages++;
    } else {
        memcpy(rest->payload, (char *)p->payload + offset, len);
    }
    rest->next = p->next;
    rest->tot_len = p->tot_len - offset;
    return rest;
}

/* Cut `seg` behind `at` bytes of payload; the rest becomes a segment behind it. False: no memory,
 * nothing was changed. */
static bool seg_cut(struct tcp_pcb *pcb, struct tcp_seg *seg, uint16_t at)
{
    uint16_t rest_len = seg->len - at, offset = seg->p->tot_len - rest_len;
    uint8_t last = TCPH_FLAGS(seg->tcphdr) & (TCP_PSH | TCP_FIN);
    struct pbuf *p = seg->p, *rest;
    struct tcp_seg *next;

    for (; offset > p->len; p = p->next)
        offset -= p->len;
    rest = offset == p->len ? p->next : pbuf_rest(p, offset);
    next = rest ? seg_new(seg, rest, seg_sequence(seg) + at) : NULL;
    if (!next) {
        if (rest && rest != p->next) {
            rest->next = NULL;
            pbuf_free(rest);
        }
        return false;
    }
    pcb->snd_queuelen += 1 + (rest != p->next);
    p->next = NULL;
    p->len = offset;
    for (struct pbuf *q = seg->p; q; q = q->next)
        q->tot_len -= rest_len;
    seg->len = at;
    TCPH_UNSET_FLAG(seg->tcphdr, last);
    next->next = seg->next;
    seg->next = next;
    return true;
}

/* Drop the first bytes of `seg`, which were acknowledged; only payload behind the header's pbuf. */
static void seg_drop_acked(struct tcp_pcb *pcb, struct tcp_seg *seg)
{
    int32_t acked = (int32_t)(pcb->lastack - seg_sequence(seg));
    struct pbuf *head = seg->p;

    if (acked <= 0 || acked >= seg->len || head->ref != 1 ||
        head->tot_len - head->len !=
            seg->len) /* payload beside the header: not net_segment_write()'s */
        return;
    pcb->snd_buf += (tcpwnd_size_t)acked;
    seg->len -= (uint16_t)acked;
    seg->tcphdr->seqno = lwip_htonl(pcb->lastack);
    head->tot_len -= (uint16_t)acked;
    while (acked > 0) {
        struct pbuf *p = head->next;

        if (p->len <= acked) {
            acked -= p->len;
            head->next = p->next;
            p->next = NULL;
            pbuf_free(p);
            pcb->snd_queuelen--;
        } else {
            p->payload = (char *)p->payload + acked;
            p->len -= (uint16_t)acked;
            p->tot_len -= (uint16_t)acked;
            acked = 0;
        }
    }
}

/* How much of a segment may leave at once. */
static uint16_t segment_limit(struct tcp_pcb *pcb)
{
    struct netif *netif = NULL;

    if (pcb->netif_idx != NETIF_NO_INDEX)
        netif = netif_get_by_index(pcb->netif_idx);
    else
        netif = ip_route(&pcb->local_ip, &pcb->remote_ip);
    if (!netif || !net_netif_cuts(netif, IP_IS_V6(&pcb->remote_ip)))
        return payload_max(pcb);
    return SEGMENT_MAX - SEGMENT_MAX % payload_max(pcb);
}

/* Cut what waits to what may be sent now, so that each segment goes as it is or not at all. */
static void fit(struct tcp_pcb *pcb)
{
    uint32_t window = MIN(pcb->snd_wnd, pcb->cwnd);
    uint16_t whole = payload_max(pcb), limit = 0;

    packet_len = whole;
    if (tcp_input_pcb == pcb)
        return; /* it will not send now */
    for (struct tcp_seg *seg = pcb->unsent; seg; seg = seg->next) {
        uint32_t ahead, room;

        if (TCP_SEQ_LT(seg_sequence(seg), pcb->lastack))
            seg_drop_acked(pcb, seg);
        ahead = seg_sequence(seg) - pcb->lastack;
        room = ahead < window ? window - ahead : 0;
        if (seg->len <= whole && seg->len <= room)
            continue;
        if (!limit)
            limit = segment_limit(pcb);
        if (seg->len <= limit && seg->len <= room)
            continue;
        room = MIN(room, limit);
        room -= room % whole;
        if (room == 0 || room >= seg->len || !seg_cut(pcb, seg, (uint16_t)room))
            return;
    }
}

/* --- in place of lwIP's --- */

err_t tcp_output(struct tcp_pcb *pcb)
{
    if (pcb->unsent)
        fit(pcb);
    return lwip_tcp_output(pcb);
}

void tcp_rexmit_rto_commit(struct tcp_pcb *pcb)
{
    fit(pcb);
    lwip_tcp_rexmit_rto_commit(pcb);
}

/* The packet that was lost, and no more, is sent again. */
void tcp_rexmit_fast(struct tcp_pcb *pcb)
{
    struct tcp_seg *seg = pcb->unacked;

    if (seg && !(pcb->flags & TF_INFR) && seg->p->ref == 1) {
        seg_drop_acked(pcb, seg);
        if (seg->len > payload_max(pcb))
            seg_cut(pcb, seg, payload_max(pcb));
    }
    lwip_tcp_rexmit_fast(pcb);
}

/* For a window smaller than a packet: lwIP's timer asks after a while. */
err_t tcp_split_unsent_seg(struct tcp_pcb *pcb, u16_t split)
{
    if (!pcb->unsent || split == 0)
        return ERR_MEM;
    if (pcb->unsent->len <= split)
        return ERR_OK;
    return seg_cut(pcb, pcb->unsent, split) ? ERR_OK : ERR_MEM;
}

/* --- the IP header of a large segment: as lwIP makes it, but not for fragmenting --- */

/* tcp_out.c's ip4_output_if(). */
err_t net_ip4_output_if(struct pbuf *p, const ip4_addr_t *src, const ip4_addr_t *dest, u8_t ttl,
                        u8_t tos, u8_t proto, struct netif *netif)
{
    struct ip_hdr *ip;

    p->gso_size = 0;
    if (netif->mtu == 0 || p->tot_len + IP_HLEN <= netif->mtu ||
        ip4_addr_eq(dest, netif_ip4_addr(netif)))
        return ip4_output_if(p, src, dest, ttl, tos, proto, netif);
    if (pbuf_add_header(p, IP_HLEN))
        return ERR_BUF;
    ip = p->payload;
    IPH_VHL_SET(ip, 4, IP_HLEN / 4);
    IPH_TOS_SET(ip, tos);
    IPH_LEN_SET(ip, lwip_htons(p->tot_len));
    IPH_ID_SET(ip, 0);
    IPH_OFFSET_SET(ip, PP_HTONS(IP_DF));
    IPH_TTL_SET(ip, ttl);
    IPH_PROTO_SET(ip, proto);
    IPH_CHKSUM_SET(ip, 0);
    ip4_addr_copy(ip->src, *src);
    ip4_addr_copy(ip->dest, *dest);
    IPH_CHKSUM_SET(ip, inet_chksum(ip, IP_HLEN));
    p->gso_size = packet_len;
    return netif->output(netif, p, dest);
}

/* tcp_out.c's ip6_output_if(). */
err_t net_ip6_output_if(struct pbuf *p, const ip6_addr_t *src, const ip6_addr_t *dest, u8_t hops,
                        u8_t class, u8_t proto, struct netif *netif)
{
    struct ip6_hdr *ip;

    p->gso_size = 0;
    if (netif->mtu == 0 || p->tot_len + IP6_HLEN <= netif->mtu ||
        netif_get_ip6_addr_match(netif, dest) >= 0)
        return ip6_output_if(p, src, dest, hops, class, proto, netif);
    if (pbuf_add_header(p, IP6_HLEN))
        return ERR_BUF;
    ip = p->payload;
    IP6H_VTCFL_SET(ip, 6, class, 0);
    IP6H_PLEN_SET(ip, p->tot_len - IP6_HLEN);
    IP6H_NEXTH_SET(ip, proto);
    IP6H_HOPLIM_SET(ip, hops);
    ip6_addr_copy_to_packed(ip->src, *src);
    ip6_addr_copy_to_packed(ip->dest, *dest);
    p->gso_size = packet_len;
    return netif->output_ip6(netif, p, dest);
}
