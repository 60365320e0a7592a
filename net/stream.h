/* SPDX-License-Identifier: MIT
 *
 * Between net/stream.c and net/stream_io.c.
 */
#pragma once
#include <netinet/in.h>
#include "net/segment.h"
#include "net/socket.h"

#define STREAM_ROOM_LOW (16 * 1024) /* with less room a socket is not writable */

/* Bytes that can be written now; s->tcp is there. held: net lock */
size_t stream_room(const struct socket *s);
/* Received data, the socket's from here on. held: net lock */
void stream_take(struct socket *s, struct pbuf *p);
/* Nobody will read it. held: net lock, and nobody else is in the socket or will read */
void stream_drop_received(struct socket *s);

ssize_t stream_send(struct socket *s, const struct msghdr *message, int flags,
                    uint64_t deadline_ns);
ssize_t stream_receive(struct socket *s, struct msghdr *message, int flags, uint64_t deadline_ns);
