/* SPDX-License-Identifier: MIT
 *
 * Datagram sockets over UDP, and raw sockets over IP: how they begin and end.  Messages pass in
 * net/datagram_io.c.
 *
 * held: net lock, in all functions called by lwIP.
 */
#include <errno.h>
#include <netinet/in.h>
#include "lwip/raw.h"
#include "lwip/udp.h"
#include "net/datagram.h"

static unsigned int datagram_ready(struct socket *s)
{
    return FD_WRITABLE | (s->error ? FD_BROKEN | FD_READABLE : 0) |
           (s->datagrams || s->reading_shut ? FD_READABLE : 0);
}

static void datagram_received(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                              u16_t port)
{
    (void)pcb;
    datagram_queue(arg, p, from, port);
}

/* IPv4 comes with its header, IPv6 without: as elsewhere. Others may want it too: a copy. */
static u8_t raw_received(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
    struct pbuf *copy = pbuf_clone(PBUF_RAW, PBUF_RAM, p);

    (void)pcb;
    if (copy && IP_IS_V6(from))
        pbuf_remove_header(copy, IP6_HLEN);
    if (copy)
        datagram_queue(arg, copy, from, 0);
    return 0;
}

int datagram_socket_create(struct socket *s)
{
    net_lock();
    s->udp = udp_new_ip_type(socket_ip_type(s));
    if (s->udp) {
        udp_recv(s->udp, datagram_received, s);
        s->ready = datagram_ready(s);
    }
    net_unlock();
    return s->udp ? 0 : -ENOBUFS;
}

int raw_socket_create(struct socket *s)
{
    net_lock();
    s->v6only = true;
    s->raw = raw_new_ip_type(socket_ip_type(s), (u8_t)s->protocol);
    if (s->raw) {
        raw_recv(s->raw, raw_received, s);
        if (s->protocol == IPPROTO_ICMPV6) {
            s->raw->chksum_reqd = 1;
            s->raw->chksum_offset = 2;
        }
        s->ready = datagram_ready(s);
    }
    net_unlock();
    return s->raw ? 0 : -ENOBUFS;
}

static int datagram_bind(struct socket *s, const struct socket_name *name)
{
    int rc;

    if (datagram_is_raw(s))
        return socket_errno(raw_bind(s->raw, &name->ip));
    if (s->bound)
        return -EINVAL;
    rc = socket_errno(udp_bind(s->udp, &name->ip, name->port));
    s->bound = rc == 0;
    return rc;
}

static int datagram_connect(struct socket *s, const struct socket_name *name, uint64_t deadline_ns)
{
    int rc;

    (void)deadline_ns;
    if (datagram_is_raw(s))
        rc = socket_errno(raw_connect(s->raw, &name->ip));
    else
        rc = socket_errno(udp_connect(s->udp, &name->ip, name->port));
    if (rc)
        return rc;
    s->state = SOCKET_CONNECTED;
    s->bound = true;
    return 0;
}

static int datagram_listen(struct socket *s, int backlog)
{
    (void)s, (void)backlog;
    return -EOPNOTSUPP;
}

static int datagram_accept(struct socket *s, struct socket **connection, uint64_t deadline_ns)
{
    (void)s, (void)connection, (void)deadline_ns;
    return -EOPNOTSUPP;
}

static int datagram_shutdown(struct socket *s, int how)
{
    if (s->state != SOCKET_CONNECTED)
        return -ENOTCONN;
    s->reading_shut |= how != SHUT_WR;
    s->writing_shut |= how != SHUT_RD;
    socket_changed(s);
    return 0;
}

int datagram_names(struct socket *s, struct socket_name *own, struct socket_name *peer)
{
    if (peer && s->state != SOCKET_CONNECTED)
        return -ENOTCONN;
    if (datagram_is_raw(s)) {
        if (own)
            *own = (struct socket_name){ .ip = s->raw->local_ip };
        if (peer)
            *peer = (struct socket_name){ .ip = s->raw->remote_ip };
        return 0;
    }
    if (own)
        *own = (struct socket_name){ .ip = s->udp->local_ip, .port = s->udp->local_port };
    if (peer)
        *peer = (struct socket_name){ .ip = s->udp->remote_ip, .port = s->udp->remote_port };
    return 0;
}

static int datagram_readable(struct socket *s)
{
    return s->datagrams ? s->datagrams->p->tot_len : 0;
}

static void datagram_close(struct socket *s, uint64_t deadline_ns)
{
    (void)deadline_ns;
    net_lock();
    if (datagram_is_raw(s))
        raw_remove(s->raw);
    else
        udp_remove(s->udp);
    datagram_drop_all(s);
    socket_leave_groups(s);
    net_unlock();
}

#define DATAGRAM_OPS                                                                               \
    {                                                                                              \
        .bind = datagram_bind, .connect = datagram_connect, .listen = datagram_listen,             \
        .accept = datagram_accept, .shutdown = datagram_shutdown, .names = datagram_names,         \
        .send = datagram_send, .receive = datagram_receive, .readable = datagram_readable,         \
        .ready = datagram_ready, .close = datagram_close,                                          \
    }
const struct socket_ops datagram_socket_ops = DATAGRAM_OPS;
const struct socket_ops raw_socket_ops = DATAGRAM_OPS;
