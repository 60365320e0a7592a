/* SPDX-License-Identifier: MIT
 *
 * TCP segments larger than a packet, and their payload in netbufs.
 */
#pragma once
#include "lib/types.h"

struct netbuf;
struct tcp_pcb;

/* Queue the `len` bytes at `data`, which lie in `buf`, behind what waits to be sent; the segments
 * have uses of the netbuf until the bytes are acknowledged. `more`: do not push. An lwIP error.
 * held: net lock */
int net_segment_write(struct tcp_pcb *pcb, struct netbuf *buf, const void *data, uint16_t len,
                      bool more);
/* How many bytes net_segment_write() takes now. held: net lock */
size_t net_segment_room(const struct tcp_pcb *pcb);
