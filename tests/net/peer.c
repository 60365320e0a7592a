/* SPDX-License-Identifier: MIT
 *
 * See peer.h.
 */
#include "tests/net/peer.h"
#include <string.h>
#include "tests/net/world.h"

#define ETH 14
#define IP4 20

uint32_t peer_silent;
unsigned int peer_arp_requests;

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static uint32_t sum(const uint8_t *at, size_t len, uint32_t before)
{
    for (; len > 1; len -= 2, at += 2)
        before += get16(at);
    if (len)
        before += (uint32_t)at[0] << 8;
    return before;
}

static uint32_t fold(uint32_t value)
{
    value = (value >> 16) + (value & 0xffff);
    return ~((value >> 16) + value) & 0xffff;
}

static void put_link(unsigned int n, uint8_t *frame, unsigned int type)
{
    const uint8_t link[12] = { 0, 0x16, 0x3e, 0, 0, (uint8_t)n, 2, 0, 0, 0, 0, (uint8_t)n };

    memcpy(frame, link, sizeof(link));
    put16(frame + 12, type);
}

static void put_ip4(unsigned int n, uint8_t *frame, uint32_t from, uint32_t to, unsigned int proto,
                    size_t len)
{
    uint8_t *ip = frame + ETH;

    put_link(n, frame, 0x0800);
    memset(ip, 0, IP4);
    ip[0] = 0x45;
    put16(ip + 2, (uint32_t)(IP4 + len));
    ip[8] = 64;
    ip[9] = (uint8_t)proto;
    put32(ip + 12, from);
    put32(ip + 16, to);
    put16(ip + 10, fold(sum(ip, IP4, 0)));
}

void peer_send_tcp(unsigned int n, const struct peer_tcp *tcp)
{
    static uint8_t frame[WORLD_FRAME];
    uint8_t *at = frame + ETH + IP4;
    size_t header = tcp->flags & PEER_SYN ? 24 : 20;

    put_ip4(n, frame, tcp->from, tcp->to, 6, header + tcp->len);
    memset(at, 0, header);
    put16(at, tcp->from_port);
    put16(at + 2, tcp->to_port);
    put32(at + 4, tcp->seq);
    put32(at + 8, tcp->ack);
    at[12] = (uint8_t)(header / 4 << 4);
    at[13] = tcp->flags;
    put16(at + 14, tcp->window);
    if (tcp->flags & PEER_SYN)
        put32(at + 20, 0x02040000 | 1460);
    if (tcp->len)
        memcpy(at + header, tcp->data, tcp->len);
    world_receive(n, frame, ETH + IP4 + header + tcp->len, true);
}

void peer_send_udp(unsigned int n, uint32_t from, uint16_t from_port, uint32_t to, uint16_t to_port,
                   const void *data, size_t len)
{
    static uint8_t frame[WORLD_FRAME];
    uint8_t *at = frame + ETH + IP4;

    put_ip4(n, frame, from, to, 17, 8 + len);
    if (to == 0xffffffff)
        memset(frame, 0xff, 6);
    put16(at, from_port);
    put16(at + 2, to_port);
    put16(at + 4, (uint32_t)(8 + len));
    put16(at + 6, 0);
    memcpy(at + 8, data, len);
    world_receive(n, frame, ETH + IP4 + 8 + len, true);
}

void peer_send_fragment(unsigned int n, uint32_t from, uint32_t to, uint16_t id, uint16_t offset,
                        bool more, size_t len)
{
    uint8_t frame[2048], *ip = frame + ETH;

    put_ip4(n, frame, from, to, 17, len);
    memset(ip + IP4, 0, len);
    put16(ip + 4, id);
    put16(ip + 6, (more ? 0x2000 : 0) | offset / 8u);
    put16(ip + 10, 0);
    put16(ip + 10, fold(sum(ip, IP4, 0)));
    world_receive(n, frame, ETH + IP4 + len, true);
}

void peer_send_icmp6(unsigned int n, const uint8_t from[16], const uint8_t to[16], void *message,
                     size_t len)
{
    uint8_t frame[2048], *ip = frame + ETH;
    uint32_t before;

    put_link(n, frame, 0x86dd);
    if (to[0] == 0xff) {
        frame[0] = frame[1] = 0x33;
        memcpy(frame + 2, to + 12, 4);
    }
    memset(ip, 0, 40);
    ip[0] = 0x60;
    put16(ip + 4, (uint32_t)len);
    ip[6] = 58;
    ip[7] = 255;
    memcpy(ip + 8, from, 16);
    memcpy(ip + 24, to, 16);
    put16((uint8_t *)message + 2, 0);
    before = sum(ip + 8, 32, (uint32_t)len + 58);
    put16((uint8_t *)message + 2, fold(sum(message, len, before)));
    memcpy(ip + 40, message, len);
    world_receive(n, frame, ETH + 40 + len, false);
}

/* True: it was one for us. */
static bool answer_arp(unsigned int n, uint8_t *frame)
{
    uint8_t *arp = frame + ETH, reply[42];

    if (get16(frame + 12) != 0x0806 || get16(arp + 6) != 1)
        return false;
    peer_arp_requests++;
    if (get32(arp + 24) == peer_silent || get32(arp + 24) == get32(arp + 14) ||
        get32(arp + 14) == 0)
        return true;
    put_link(n, reply, 0x0806);
    memcpy(reply + ETH, arp, 8);
    reply[ETH + 7] = 2;
    memcpy(reply + ETH + 8, reply + 6, 6);
    memcpy(reply + ETH + 14, arp + 24, 4);
    memcpy(reply + ETH + 18, arp + 8, 10);
    world_receive(n, reply, sizeof(reply), true);
    return true;
}

size_t peer_next(unsigned int n, uint8_t *frame)
{
    size_t len;

    do {
        len = world_sent(n, frame);
    } while (len && answer_arp(n, frame));
    return len;
}

bool peer_next_tcp(unsigned int n, uint16_t to_port, struct peer_tcp *tcp, uint8_t *frame)
{
    size_t len;

    while ((len = peer_next(n, frame))) {
        const uint8_t *ip = frame + ETH, *at = ip + IP4;
        size_t header = (size_t)(at[12] >> 4) * 4;

        if (get16(frame + 12) != 0x0800 || ip[9] != 6 || get16(at + 2) != to_port)
            continue;
        *tcp = (struct peer_tcp){ .from = get32(ip + 12),
                                  .to = get32(ip + 16),
                                  .from_port = (uint16_t)get16(at),
                                  .to_port = to_port,
                                  .seq = get32(at + 4),
                                  .ack = get32(at + 8),
                                  .flags = at[13],
                                  .window = (uint16_t)get16(at + 14),
                                  .data = at + header,
                                  .len = get16(ip + 2) - IP4 - header };
        return true;
    }
    return false;
}

int peer_next_udp(unsigned int n, uint16_t to_port, const uint8_t **data, uint32_t *to,
                  uint16_t *from_port, uint8_t *frame)
{
    size_t len;

    while ((len = peer_next(n, frame))) {
        const uint8_t *ip = frame + ETH, *at = ip + IP4;

        if (get16(frame + 12) != 0x0800 || ip[9] != 17 || get16(at + 2) != to_port)
            continue;
        *data = at + 8;
        *to = get32(ip + 16);
        *from_port = (uint16_t)get16(at);
        return (int)get16(at + 4) - 8;
    }
    return -1;
}
