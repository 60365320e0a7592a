/* SPDX-License-Identifier: MIT
 *
 * Memory for lwIP, and what is quicker than by its own functions.  held: net lock
 */
#pragma once
#include "lib/types.h"

struct netbuf;
struct pbuf;

/* A pbuf for bytes in a netbuf, whose use it takes over. NULL: no memory, and the use is the
 * caller's. */
struct pbuf *net_pbuf_received(struct netbuf *buf, void *data, uint16_t len);
/* pbuf_free() for each of a list: of each only `next` counts. */
void net_pbufs_free(struct pbuf *p);
/* How many lwIP uses of what; `type` is lwIP's memp_t. */
unsigned int net_memory_used(int type);
/* And how many it may. Also before the start, without the lock. */
void net_memory_limit(int type, unsigned int limit);
