/* SPDX-License-Identifier: MIT
 *
 * As much TCP as throughput needs on a link that loses nothing: port 9 acknowledges whatever comes,
 * port 19 sends as fast as the other side takes it, in large packets where they may be sent.
 */
#include <string.h>
#include "netraw.h"

#define FLOWS   16
#define FIN     0x01
#define SYN     0x02
#define RST     0x04
#define PSH     0x08
#define ACK     0x10
#define HEADERS (ETH_LEN + 20 + 20)
#define MSS     1448
#define PAGES   16 /* of payload in a large packet */
#define SCALE   7

struct flow {
    bool used, sends, ack_due, established;
    unsigned int queue;
    uint8_t headers[HEADERS]; /* of what goes out */
    uint32_t rcv_nxt, snd_una, snd_nxt, window;
    unsigned int peer_scale;
};

/* A flow belongs to the queue its SYN came by; only port 19 is ever used by one flow at a time. */
static struct flow flows[FLOWS];
static struct netbuf *payload; /* of every packet of port 19, again and again */

static void finish_headers(struct netdev *dev, struct netdev_packet *packet, uint8_t *frame)
{
    uint8_t *ip = frame + ETH_LEN, *tcp = ip + 20;
    unsigned int tcp_len = packet->len - ETH_LEN - 20;
    uint32_t sum = sum_bytes(6 + tcp_len, ip + 12, 8);

    put16(ip + 2, (uint16_t)(packet->len - ETH_LEN));
    put16(ip + 10, 0);
    put16(ip + 10, (uint16_t)~sum_fold(sum_bytes(0, ip, 20)));
    put16(tcp + 16, sum_fold(sum));
    packet->csum_blank = dev->features.csum_ipv4;
    packet->csum_valid = false;
    if (packet->csum_blank)
        return;
    put16(tcp + 16, 0);
    sum = sum_bytes(sum, tcp, packet->frag[0].len - ETH_LEN - 20);
    for (unsigned int i = 1; i < packet->nfrags; i++) /* all of even length but the last */
        sum = sum_fold(
            sum_bytes(sum, (uint8_t *)netbuf_page(packet->frag[i].buf), packet->frag[i].len));
    put16(tcp + 16, (uint16_t)~sum_fold(sum));
}

/* A segment with `len` bytes of payload. False: no room. */
static bool send_segment(struct netdev *dev, struct flow *flow, uint8_t flags, unsigned int len)
{
    struct netdev_packet packet = { .nfrags = 1, .len = HEADERS };
    struct netbuf *buf = netbuf_alloc();
    uint8_t *frame, *tcp;

    if (!buf)
        return false;
    frame = netbuf_page(buf);
    tcp = frame + ETH_LEN + 20;
    memcpy(frame, flow->headers, HEADERS);
    put32(tcp + 4, flow->snd_nxt);
    put32(tcp + 8, flow->rcv_nxt);
    tcp[12] = 5 << 4;
    tcp[13] = flags;
    put16(tcp + 14, 65535);
    if (flags & SYN) { /* MSS, and a window scale */
        static const uint8_t options[8] = { 2, 4, 1460 >> 8, 1460 & 255, 1, 3, 3, SCALE };

        memcpy(frame + HEADERS, options, sizeof(options));
        packet.len += sizeof(options);
        tcp[12] = 7 << 4;
    }
    packet.frag[0] = (struct netdev_frag){ buf, 0, (uint16_t)packet.len };
    if (len > MSS) {
        packet.gso = NETDEV_GSO_TCPV4;
        packet.gso_size = MSS;
    }
    for (unsigned int left = len; left > 0; packet.nfrags++) {
        unsigned int part = MIN(left, PAGE_SIZE);

        netbuf_get(payload);
        packet.frag[packet.nfrags] = (struct netdev_frag){ payload, 0, (uint16_t)part };
        packet.len += part;
        left -= part;
    }
    finish_headers(dev, &packet, frame);
    if (dev->ops->send(dev, flow->queue, &packet) == 0) {
        flow->snd_nxt += len + (flags & (SYN | FIN) ? 1 : 0);
        return true;
    }
    for (unsigned int i = 0; i < packet.nfrags; i++)
        netbuf_put(packet.frag[i].buf);
    return false;
}

static void send_data(struct netdev *dev, struct flow *flow)
{
    unsigned int most = dev->features.gso_tcpv4 ? MIN(PAGES * PAGE_SIZE, 65000) / MSS * MSS : MSS;

    if (!dev->features.sg)
        return;
    for (;;) {
        uint32_t room = flow->window - (flow->snd_nxt - flow->snd_una);
        unsigned int len = room > flow->window ? 0 : MIN(room, most) / MSS * MSS;

        if (len < most && flow->snd_nxt != flow->snd_una)
            return; /* large ones when the window opens */
        if (len == 0 || !send_segment(dev, flow, ACK | PSH, len))
            return;
        flow->ack_due = false;
    }
}

static struct flow *find(const uint8_t *frame, unsigned int queue, bool fresh)
{
    const uint8_t *ip = frame + ETH_LEN;
    struct flow *unused = NULL;

    for (unsigned int i = 0; i < FLOWS; i++) {
        struct flow *flow = &flows[i];

        if (flow->used && memcmp(flow->headers + ETH_LEN + 16, ip + 12, 4) == 0 &&
            memcmp(flow->headers + ETH_LEN + 22, ip + 20, 2) == 0)
            return flow;
        if (!unused && (!flow->used || (fresh && i == FLOWS - 1)))
            unused = flow;
    }
    if (!fresh || !unused)
        return NULL;
    memset(unused, 0, sizeof(*unused));
    unused->used = true;
    unused->queue = queue;
    return unused;
}

static void open_flow(struct netdev *dev, struct flow *flow, const uint8_t *frame)
{
    static const uint8_t ip_start[] = { 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6 };
    const uint8_t *ip = frame + ETH_LEN, *tcp = ip + 20;
    uint8_t *out = flow->headers;

    memcpy(out, frame + 6, 6);
    memcpy(out + 6, dev->mac, 6);
    put16(out + 12, 0x0800);
    memcpy(out + ETH_LEN, ip_start, sizeof(ip_start));
    memcpy(out + ETH_LEN + 12, ip + 16, 4);
    memcpy(out + ETH_LEN + 16, ip + 12, 4);
    memcpy(out + ETH_LEN + 20, tcp + 2, 2);
    memcpy(out + ETH_LEN + 22, tcp, 2);
    flow->sends = get16(tcp + 2) == 19;
    flow->rcv_nxt = get32(tcp + 4) + 1;
    flow->snd_una = flow->snd_nxt = 1000;
    for (const uint8_t *o = tcp + 20; o < tcp + (tcp[12] >> 4) * 4 && *o;
         o += *o == 1 ? 1 : MAX(o[1], 1))
        if (*o == 3)
            flow->peer_scale = o[2];
    send_segment(dev, flow, SYN | ACK, 0);
}

void answer_tcp(struct netdev *dev, unsigned int queue, struct netdev_packet *packet,
                uint8_t *frame)
{
    const uint8_t *ip = frame + ETH_LEN, *tcp = ip + 20;
    unsigned int len = get16(ip + 2) - 20U - (tcp[12] >> 4) * 4U;
    uint8_t flags = tcp[13];
    struct flow *flow = find(frame, queue, flags & SYN);

    if (!payload) {
        payload = netbuf_alloc();
        memset(netbuf_page(payload), 'x', PAGE_SIZE);
    }
    if (flow && flags & SYN) {
        open_flow(dev, flow, frame);
    } else if (flow && flags & RST) {
        flow->used = false;
    } else if (flow) {
        flow->window = (uint32_t)get16(tcp + 14) << flow->peer_scale;
        flow->snd_una = get32(tcp + 8);
        flow->established = true;
        if (get32(tcp + 4) == flow->rcv_nxt) {
            flow->rcv_nxt += len;
            if (flags & FIN) {
                flow->rcv_nxt++;
                send_segment(dev, flow, flow->sends ? ACK : ACK | FIN, 0);
            }
        }
        flow->ack_due = len > 0;
    }
    for (unsigned int i = 0; i < packet->nfrags; i++)
        netbuf_put(packet->frag[i].buf);
}

void tcp_batch_end(struct netdev *dev, unsigned int queue)
{
    for (unsigned int i = 0; i < FLOWS; i++) {
        struct flow *flow = &flows[i];

        if (!flow->used || !flow->established || flow->queue != queue)
            continue;
        if (flow->sends)
            send_data(dev, flow);
        if (flow->ack_due)
            send_segment(dev, flow, ACK, 0);
        flow->ack_due = false;
    }
}
