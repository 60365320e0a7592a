/* SPDX-License-Identifier: MIT
 *
 * Who is at the other end of a device's wire: frames made and taken apart.  Addresses of IPv4 are
 * numbers, 0x0a000001 is 10.0.0.1; everything is in the host's byte order.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer_tcp {
    uint32_t from, to;
    uint16_t from_port, to_port;
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window;
    const void *data;
    size_t len;
};
#define PEER_FIN 1
#define PEER_SYN 2
#define PEER_RST 4
#define PEER_PSH 8
#define PEER_ACK 16

/* Each sends a frame to device `n`; checksums of TCP and UDP count as looked at. */
void peer_send_tcp(unsigned int n, const struct peer_tcp *tcp);
void peer_send_udp(unsigned int n, uint32_t from, uint16_t from_port, uint32_t to, uint16_t to_port,
                   const void *data, size_t len);
/* A piece of an IPv4 packet of UDP; `offset` in bytes. */
void peer_send_fragment(unsigned int n, uint32_t from, uint32_t to, uint16_t id, uint16_t offset,
                        bool more, size_t len);
/* IPv6 to the link's nodes, hop limit 255, ICMPv6 with its checksum made here. */
void peer_send_icmp6(unsigned int n, const uint8_t from[16], const uint8_t to[16], void *message,
                     size_t len);

/* The next frame sent by device `n`, without requests of ARP, which are answered for all addresses
 * but peer_silent. 0: none. */
size_t peer_next(unsigned int n, uint8_t *frame);
extern uint32_t peer_silent;
extern unsigned int peer_arp_requests;
/* The next one of TCP or UDP to that port; false: there is none among those sent. */
bool peer_next_tcp(unsigned int n, uint16_t to_port, struct peer_tcp *tcp, uint8_t *frame);
/* Payload in *data: its length, or -1. */
int peer_next_udp(unsigned int n, uint16_t to_port, const uint8_t **data, uint32_t *to,
                  uint16_t *from_port, uint8_t *frame);
