/* SPDX-License-Identifier: MIT
 *
 * Between datagram.c and datagram_io.c.  held: net lock, unless it says something else.
 */
#pragma once
#include "net/socket.h"

struct datagram {
    struct datagram *next;
    struct pbuf *p;
    struct socket_name from;
    ip_addr_t to;
    uint8_t interface;
};

static inline bool datagram_is_raw(const struct socket *s)
{
    return s->ops == &raw_socket_ops;
}

/* The socket's from here on; dropped if too much waits already. */
void datagram_queue(struct socket *s, struct pbuf *p, const ip_addr_t *from, uint16_t port);
/* All that waits is dropped. */
void datagram_drop_all(struct socket *s);
int datagram_names(struct socket *s, struct socket_name *own, struct socket_name *peer);

/* socket_ops' send and receive. Net lock not held. */
ssize_t datagram_send(struct socket *s, const struct msghdr *message, int flags,
                      uint64_t deadline_ns);
ssize_t datagram_receive(struct socket *s, struct msghdr *message, int flags, uint64_t deadline_ns);
