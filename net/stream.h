/* SPDX-License-Identifier: MIT
 *
 * Between the files of stream sockets.
 */
#pragma once
#include <netinet/in.h>
#include "lwip/err.h"
#include "net/budget.h"
#include "net/segment.h"
#include "net/socket.h"

/* With less room a socket is not writable. held: net lock */
static inline size_t stream_room_low(void)
{
    return net_budget_is_tight_to_send() ? PAGE_SIZE : 16 * 1024;
}

struct tcp_pcb;

/* stream_events.c; held: net lock */
/* lwIP tells the socket about this control block from here on, or nobody. */
void stream_attach(struct socket *s, struct tcp_pcb *pcb);
void stream_detach(struct socket *s);
/* lwIP's callbacks. */
err_t stream_connected(void *socket, struct tcp_pcb *pcb, err_t err);
err_t stream_accepted(void *listener, struct tcp_pcb *pcb, err_t err);

/* Bytes that can be written now; s->tcp is there. held: net lock */
size_t stream_room(const struct socket *s);
/* Received data, the socket's from here on. held: net lock */
void stream_take(struct socket *s, struct pbuf *p);
/* Nobody will read it. held: net lock, and nobody else is in the socket or will read */
void stream_drop_received(struct socket *s);

/* socket_ops' send and receive. */
ssize_t stream_send(struct socket *s, const struct msghdr *message, int flags,
                    uint64_t deadline_ns);
ssize_t stream_receive(struct socket *s, struct msghdr *message, int flags, uint64_t deadline_ns);
