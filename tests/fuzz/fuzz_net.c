/* SPDX-License-Identifier: MIT
 *
 * Fuzzes TCP/IP: whole frames go through net/ into lwIP, in the world of tests/net/.  The input is
 * a list of acts: a frame of its own bytes, a good one of some protocol with bytes changed (answers
 * to what was asked last: DHCP, DNS, TCP; messages of ARP, ICMP, IGMP, routers, neighbours;
 * fragments; with options and extension headers), time that passes, and what a program does with
 * its sockets. At the end nothing that was received or sent may still be held.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/time.h"
#include "lwip/dns.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "net/budget.h"
#include "net/socket.h"
#include "tests/net/world.h"

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static struct {
    const uint8_t *at, *end;
} input;

static uint8_t byte(void)
{
    return input.at < input.end ? *input.at++ : 0;
}

static uint16_t word(void)
{
    uint16_t high = byte();

    return (uint16_t)(high << 8 | byte());
}

static uint8_t frame[WORLD_FRAME], sent[WORLD_FRAME];
static size_t sent_len;

/* --- frames --- */

static void put16(uint8_t *at, unsigned int value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static unsigned int get16(const uint8_t *at)
{
    return (unsigned int)at[0] << 8 | at[1];
}

static unsigned int sum(const uint8_t *at, size_t len, unsigned int value)
{
    for (; len > 1; len -= 2, at += 2)
        value += get16(at);
    value += len ? (unsigned int)at[0] << 8 : 0;
    while (value >> 16)
        value = (value >> 16) + (value & 0xffff);
    return value;
}

/* Checksums as they ought to be, as far as there are headers: else most frames would end there. */
static void repair(size_t len)
{
    uint8_t *ip = frame + 14;
    size_t header = (size_t)(ip[0] & 15) * 4;

    if (frame[12] == 8 && frame[13] == 0 && len >= 14 + header && header >= 20) {
        put16(ip + 10, 0);
        put16(ip + 10, ~sum(ip, header, 0) & 0xffff);
        if (ip[9] == 1 && len > 14 + header + 4) {
            put16(ip + header + 2, 0);
            put16(ip + header + 2, ~sum(ip + header, len - 14 - header, 0) & 0xffff);
        }
        if (ip[9] == 2 && len > 14 + header + 4) {
            put16(ip + header + 2, 0);
            put16(ip + header + 2, ~sum(ip + header, len - 14 - header, 0) & 0xffff);
        }
    } else if (frame[12] == 0x86 && len >= 14 + 40 + 4) {
        unsigned int next = ip[6];
        uint8_t *at = ip + 40;

        if (next == 0 && len >= 14 + 56) { /* hop-by-hop options of 8 bytes, as MLD's */
            next = at[0];
            at += 8;
        }
        if (next == 58) {
            size_t rest = len - (size_t)(at - frame);

            put16(at + 2, 0);
            put16(at + 2, ~sum(at, rest, sum(ip + 8, 32, (unsigned int)rest + 58)) & 0xffff);
        }
    }
}

/* Change some bytes, perhaps the length, and let it come. */
static void deliver(size_t len)
{
    unsigned int changes = byte();

    for (unsigned int i = 0; i < (changes & 15); i++) {
        size_t at = word() % (len ? len : 1);

        frame[at] ^= byte();
    }
    if (changes & 16)
        len = len > 40 ? 34 + word() % (len - 34) : len;
    if (!(changes & 32))
        repair(len);
    if (len >= 14)
        world_receive(0, frame, len, !(changes & 64));
}

static void link_header(unsigned int type)
{
    static const uint8_t own[6] = { 0, 0x16, 0x3e, 0, 0, 0 }, peer[6] = { 2, 0, 0, 0, 0, 1 };

    memset(frame, 0, 2048);
    memcpy(frame, own, 6);
    memcpy(frame + 6, peer, 6);
    put16(frame + 12, type);
}

static uint8_t *ip4(unsigned int proto, unsigned int options, size_t payload)
{
    static const uint8_t addresses[8] = { 10, 0, 0, 1, 10, 0, 0, 2 };
    uint8_t *ip = frame + 14;

    link_header(0x0800);
    ip[0] = (uint8_t)(0x45 + options);
    put16(ip + 2, (unsigned int)(20 + 4 * options + payload));
    ip[8] = 64;
    ip[9] = (uint8_t)proto;
    memcpy(ip + 12, addresses, 8);
    for (unsigned int i = 0; i < 4 * options; i++)
        ip[20 + i] = byte();
    return ip + 20 + 4 * options;
}

static uint8_t *ip6(unsigned int next, bool to_all, size_t payload)
{
    static const uint8_t router[16] = { 0xfe, 0x80, [15] = 1 };
    static const uint8_t own[16] = { 0xfe, 0x80, [8] = 2, 0x16, 0x3e, 0xff, 0xfe };
    static const uint8_t all[16] = { 0xff, 2, [15] = 1 };
    uint8_t *ip = frame + 14;

    link_header(0x86dd);
    ip[0] = 0x60;
    put16(ip + 4, (unsigned int)payload);
    ip[6] = (uint8_t)next;
    ip[7] = 255;
    memcpy(ip + 8, router, 16);
    memcpy(ip + 24, to_all ? all : own, 16);
    return ip + 40;
}

static void fill(uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        at[i] = byte();
}

static void raw_frame(void)
{
    size_t len = word() % 2000;

    link_header(0);
    fill(frame + (byte() & 1 ? 0 : 12), len);
    deliver(14 + len);
}

/* What was sent last, with sender and receiver exchanged. */
static void answer_tcp(const uint8_t *ip, uint8_t *at)
{
    uint8_t flags = byte(), seq[4];
    size_t options = (byte() & 3) * 4, data = byte() & 1 ? word() % 1400 : 0;

    memcpy(seq, at + 4, 4);
    memcpy(at + 4, at + 8, 4);
    memcpy(at + 8, seq, 4);
    if (at[13] & 3)
        at[11]++; /* SYN and FIN count */
    at[12] = (uint8_t)((20 + options) / 4 << 4);
    at[13] = flags & 0x3f;
    put16(at + 14, word());
    fill(at + 20, options);
    memset(at + 20 + options, 'd', data);
    put16(frame + 16, (unsigned int)(20 + 20 + options + data));
    (void)ip;
    deliver(14 + 20 + 20 + options + data);
}

static void answer(void)
{
    uint8_t *ip = frame + 14, *at, swap[6];

    memcpy(frame, sent, sent_len);
    memcpy(frame, sent + 6, 6);
    memcpy(frame + 6, sent, 6);
    if (sent_len < 42)
        return;
    if (frame[12] == 8 && frame[13] == 6) { /* ARP */
        frame[21] = 2;
        memcpy(swap, frame + 38, 4);
        memcpy(frame + 32, frame + 22, 10);
        memcpy(frame + 28, swap, 4);
        deliver(42);
        return;
    }
    if (frame[12] != 8 || frame[13] != 0 || (ip[0] & 15) != 5)
        return;
    at = ip + 20;
    memcpy(ip + 12, sent + 30, 4);
    memcpy(ip + 16, sent + 26, 4);
    memcpy(swap, at, 2);
    memcpy(at, at + 2, 2);
    memcpy(at + 2, swap, 2);
    if (ip[9] == 6) {
        answer_tcp(ip, at);
    } else if (ip[9] == 17 && get16(at) == 67) { /* DHCP */
        at[8] = 2;
        ip[12] = 10, ip[13] = ip[14] = 0, ip[15] = 1;
        memset(ip + 16, 255, 4);
        memset(frame, 255, 6);
        memcpy(at + 8 + 16, "\x0a\x00\x00\x4d", 4);
        at[8 + 242] = (uint8_t[]){ 2, 5, 6, 5 }[byte() & 3];
        fill(at + 8 + 243, byte() & 63);
        deliver(sent_len);
    } else if (ip[9] == 17 && get16(at) == 53) { /* DNS */
        size_t more = byte() & 63;

        at[10] = 0x81, at[11] = 0x80, at[15] = 1;
        memcpy(frame + sent_len, "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x01\x02\x03\x04",
               16);
        fill(frame + sent_len + 16, more);
        put16(ip + 2, (unsigned int)(sent_len - 14 + 16 + more));
        put16(at + 4, (unsigned int)(sent_len - 34 + 16 + more));
        deliver(sent_len + 16 + more);
    }
}

static void tcp_to_listener(void)
{
    size_t options = (byte() & 7) * 4;
    uint8_t *at = ip4(6, byte() & 3, 20 + options);

    put16(at, word());
    put16(at + 2, 80);
    fill(at + 4, 4);
    at[12] = (uint8_t)((20 + options) / 4 << 4);
    at[13] = byte() & 1 ? 2 : byte();
    put16(at + 14, 4096);
    fill(at + 20, options);
    deliver((size_t)(at + 20 + options - frame));
}

static void udp(void)
{
    static const uint16_t ports[] = { 7, 53, 67, 68 };
    size_t len = word() % 1400;
    uint8_t *at = ip4(17, byte() & 1, 8 + len);

    put16(at, ports[byte() & 3]);
    put16(at + 2, ports[byte() & 3]);
    put16(at + 4, (unsigned int)(8 + len));
    deliver((size_t)(at + 8 + len - frame));
}

static void fragment4(void)
{
    size_t len = word() % 1480;
    uint8_t *at = ip4(17, 0, len), id = byte();

    frame[19] = id & 3;
    put16(frame + 20, (unsigned int)(byte() & 1 ? 0x2000 : 0) + (byte() & 63) * (id & 4 ? 185 : 1));
    deliver((size_t)(at + len - frame));
}

static void fragment6(void)
{
    size_t len = word() % 1400;
    uint8_t *at = ip6(44, false, 8 + len);

    at[0] = byte() & 1 ? 17 : 58;
    put16(at + 2, (unsigned int)(byte() & 63) * 8 + (byte() & 1));
    at[7] = byte() & 3;
    deliver((size_t)(at + 8 + len - frame));
}

/* ICMPv6 of some type with options as routers and neighbours send, or MLD behind a hop-by-hop
 * header. */
static void icmp6(void)
{
    static const uint8_t types[] = { 134, 135, 136, 137, 130, 131, 1, 2, 128, 129, 3, 4 };
    static const uint8_t lengths[] = { 12, 20, 20, 36, 20, 20, 4, 4, 4, 4, 4, 4 };
    unsigned int kind = byte() % 12, flags = byte(), hop = flags & 1 ? 8 : 0;
    size_t len = 4u + lengths[kind];
    uint8_t *at = ip6(hop ? 0 : 58, flags & 2, 0), *m = at + hop;

    if (hop)
        memcpy(at, "\x3a\x00\x05\x02\x00\x00\x01\x00", 8);
    m[0] = types[kind];
    fill(m + 4, lengths[kind]);
    if (kind == 1 || kind == 2)
        memcpy(m + 8, frame + 38, 16);
    for (unsigned int i = 0; i < (flags >> 4 & 3); i++) {
        static const uint8_t known[] = { 1, 2, 3, 4, 5, 25, 24, 31 };
        unsigned int units = byte() & 7;

        m[len] = known[byte() & 7];
        m[len + 1] = (uint8_t)units;
        fill(m + len + 2, units ? units * 8 - 2 : 6);
        len += units ? units * 8 : 8;
    }
    put16(frame + 18, (unsigned int)(hop + len));
    deliver((size_t)(m + len - frame));
}

static void icmp4(void)
{
    unsigned int proto = byte() & 1 ? 2 : 1; /* IGMP, ICMP */
    size_t len = 8 + byte();
    uint8_t *at = ip4(proto, proto == 2, len);

    fill(at, len);
    deliver((size_t)(at + len - frame));
}

static void extension_headers(void)
{
    static const uint8_t headers[] = { 0, 43, 60, 44, 59, 50, 51, 58, 17, 6 };
    size_t len = word() % 300;
    uint8_t *at = ip6(headers[byte() % 10], byte() & 1, len);

    fill(at, len);
    deliver((size_t)(at + len - frame));
}

static void arp(void)
{
    link_header(0x0806);
    memcpy(frame + 14, "\x00\x01\x08\x00\x06\x04\x00", 7);
    frame[21] = byte() & 1 ? 1 : 2;
    memcpy(frame + 22, frame + 6, 6);
    memcpy(frame + 28, "\x0a\x00\x00", 3);
    frame[31] = byte();
    memcpy(frame + 38, "\x0a\x00\x00\x02", 4);
    deliver(42);
}

/* --- what a program does --- */

static struct socket *listener, *streams[4], *datagrams;

static struct socket *open_one(const struct socket_ops *ops, int type, uint16_t port)
{
    struct socket *s = socket_new(ops, AF_INET6, type, 0);
    struct socket_name any = { .ip = *IP_ANY_TYPE, .port = port };

    MUST((ops == &stream_socket_ops ? stream_socket_create(s) : datagram_socket_create(s)) == 0);
    net_lock();
    if (port)
        MUST(s->ops->bind(s, &any) == 0);
    if (port == 80)
        MUST(s->ops->listen(s, 8) == 0);
    net_unlock();
    return s;
}

static void drop(struct socket **s)
{
    if (!*s)
        return;
    (*s)->ops->close(*s, 0);
    socket_free(*s);
    *s = NULL;
}

static void program(void)
{
    static char bytes[70000];
    unsigned int what = byte(), n = what >> 4 & 3;
    struct iovec part = { bytes, word() };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(word()) };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    struct socket_name name = { .port = 80 };

    to.sin_addr.s_addr = htonl(0x0a000001);
    switch (what & 7) {
    case 0:
        if (streams[n])
            break;
        net_lock();
        listener->ops->accept(listener, &streams[n], 0);
        net_unlock();
        break;
    case 1:
        if (streams[n])
            streams[n]->ops->receive(streams[n], &message, 0, 0);
        break;
    case 2:
        if (streams[n])
            streams[n]->ops->send(streams[n], &message, MSG_NOSIGNAL, 0);
        break;
    case 3:
        drop(&streams[n]);
        break;
    case 4:
        if (streams[n])
            break;
        streams[n] = open_one(&stream_socket_ops, SOCK_STREAM, 0);
        ip_addr_set_ip4_u32(&name.ip, to.sin_addr.s_addr);
        net_lock();
        streams[n]->ops->connect(streams[n], &name, 0);
        net_unlock();
        break;
    case 5:
        message.msg_name = &to;
        message.msg_namelen = sizeof(to);
        datagrams->ops->send(datagrams, &message, 0, 0);
        break;
    case 6:
        datagrams->ops->receive(datagrams, &message, 0, 0);
        break;
    case 7:
        net_lock();
        dns_gethostbyname("name.example", &name.ip, NULL, NULL);
        net_unlock();
        break;
    }
}

static void take_sent(void)
{
    size_t len;

    while ((len = world_sent(0, frame))) {
        sent_len = len;
        memcpy(sent, frame, len);
    }
}

static void act(void)
{
    static void (*const acts[])(void) = {
        answer,    answer, answer, answer, tcp_to_listener,   udp, fragment4,
        fragment6, icmp6,  icmp6,  icmp4,  extension_headers, arp, raw_frame,
    };
    unsigned int what = byte();

    if (what < 32)
        program();
    else if (what < 40)
        world_pass_ms(word() & 0x3fff);
    else if (what == 40)
        world_full = true;
    else if (what == 41)
        world_room(0);
    else
        acts[what % (sizeof(acts) / sizeof(acts[0]))]();
    take_sent();
}

static void end(void)
{
    world_room(0);
    for (unsigned int i = 0; i < 4; i++)
        drop(&streams[i]);
    drop(&listener);
    drop(&datagrams);
    net_lock();
    while (tcp_tw_pcbs)
        tcp_abort(tcp_tw_pcbs);
    while (tcp_active_pcbs)
        tcp_abort(tcp_active_pcbs);
    net_unlock();
    world_detach(0);
    net_lock();
    for (unsigned int i = 0; i < IPV6_REASS_MAXAGE + 1; i++) { /* what waits for fragments */
        ip_reass_tmr();
        ip6_reass_tmr();
    }
    net_unlock();
    world_pass_ms(100);
    world_drop_sent();
    MUST(net_held_pages == 0);
    MUST(net_sent_pages == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ip_addr_t server = IPADDR4_INIT_BYTES(10, 0, 0, 1);
    unsigned int acts = 0;

    input.at = data;
    input.end = data + size;
    net_budget_pages = byte() & 1 ? 64 : 2048;
    world_at_end = byte() & 1;
    sent_len = 0;
    world_attach(0, NULL);
    net_lock();
    dns_setserver(0, &server);
    if (byte() & 1) { /* else by DHCP */
        ip4_addr_t ip = { lwip_htonl(0x0a000002) }, mask = { lwip_htonl(0xffffff00) },
                   gw = { lwip_htonl(0x0a000001) };

        netif_set_addr(netif_default, &ip, &mask, &gw);
    }
    net_unlock();
    listener = open_one(&stream_socket_ops, SOCK_STREAM, 80);
    datagrams = open_one(&datagram_socket_ops, SOCK_DGRAM, 7);
    take_sent();
    while (input.at < input.end && acts++ < 500)
        act();
    end();
    return 0;
}
