/* SPDX-License-Identifier: MIT
 *
 * What lwIP asks of its compiler and platform.  lwIP includes it under this name.
 */
#pragma once
#include <limits.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/panic.h"

struct netbuf;
struct pbuf;
struct tcp_hdr;
struct tcp_pcb;

#define LWIP_DONT_PROVIDE_BYTEORDER_FUNCTIONS
#define lwip_htons(n) __builtin_bswap16(n)
#define lwip_htonl(n) __builtin_bswap32(n)

#ifndef SSIZE_MAX
#define SSIZE_MAX LONG_MAX /* else lwIP makes a ssize_t of its own */
#endif

#define LWIP_PLATFORM_DIAG(message) ((void)0)
#ifdef DEBUG
#define LWIP_PLATFORM_ASSERT(message) panic("lwIP: %s:%d: %s", __FILE__, __LINE__, message)
#endif

/* net/bytes.c. */
uint16_t net_sum(const void *data, int len);
/* net/core.c. held: net lock */
uint32_t net_random(void);
uint32_t net_tcp_first_sequence(const void *local, uint16_t local_port, const void *remote,
                                uint16_t remote_port);
void net_assert_locked(void);
#define LWIP_RAND() net_random()

/* net/memory.c. held: net lock */
void *net_memory_alloc(size_t size);
void *net_memory_calloc(size_t count, size_t size);
void net_memory_free(void *block);

/* net/admit.c. held: net lock */
signed char net_tcp_admit(struct tcp_pcb *pcb, const struct tcp_hdr *header, const struct pbuf *p);
