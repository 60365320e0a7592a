/* SPDX-License-Identifier: MIT
 *
 * What netraw's files share.
 */
#pragma once
#include "net/netdev.h"

#define ETH_LEN 14

static inline uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static inline void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

/* Internet checksums: sums are of 16-bit words, most significant byte first. */
uint32_t sum_bytes(uint32_t sum, const void *bytes, unsigned int len);
uint16_t sum_fold(uint32_t sum);

/* Or let it go. */
void send_packet(struct netdev *dev, unsigned int queue, struct netdev_packet *packet);

/* tcp.c: port 9 takes all that is sent, port 19 sends without end. `frame` has the headers. */
void answer_tcp(struct netdev *dev, unsigned int queue, struct netdev_packet *packet,
                uint8_t *frame);
void tcp_batch_end(struct netdev *dev, unsigned int queue);
