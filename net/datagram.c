/* SPDX-License-Identifier: MIT
 *
 * Datagram sockets over UDP, and raw sockets over IP.  Each message that came waits with its
 * sender's address; when more wait than the socket's limit, new ones are dropped.
 *
 * held: net lock, in all functions called by lwIP.
 */
#include <errno.h>
#include <netinet/in.h>
#include "kernel/time.h"
#include "lwip/raw.h"
#include "lwip/udp.h"
#include "mm/kmem.h"
#include "net/iov.h"
#include "net/netif.h"
#include "net/socket.h"

/* Besides its bytes a message costs about so much. */
#define DATAGRAM_COST 512

struct datagram {
    struct datagram *next;
    struct pbuf *p;
    struct socket_name from;
    ip_addr_t to;
    uint8_t interface;
};

static bool is_raw(const struct socket *s)
{
    return s->ops == &raw_socket_ops;
}

static unsigned int datagram_ready(struct socket *s)
{
    return FD_WRITABLE | (s->error ? FD_BROKEN | FD_READABLE : 0) |
           (s->datagrams || s->reading_shut ? FD_READABLE : 0);
}

/* `p` is ours. */
static void datagram_queue(struct socket *s, struct pbuf *p, const ip_addr_t *from, uint16_t port)
{
    struct datagram *d = NULL;

    if (s->received_len < s->receive_limit && !s->reading_shut)
        d = kmem_alloc(sizeof(*d));
    if (!d) {
        pbuf_free(p);
        return;
    }
    d->p = p;
    d->from = (struct socket_name){ .ip = *from, .port = port };
    d->to = *ip_current_dest_addr();
    d->interface = ip_current_input_netif() ? netif_get_index(ip_current_input_netif()) : 0;
    s->received_len += p->tot_len + DATAGRAM_COST;
    *s->datagrams_end = d;
    s->datagrams_end = &d->next;
    socket_changed(s);
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

    if (is_raw(s))
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
    if (is_raw(s))
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

static int datagram_names(struct socket *s, struct socket_name *own, struct socket_name *peer)
{
    if (peer && s->state != SOCKET_CONNECTED)
        return -ENOTCONN;
    if (is_raw(s)) {
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

/* --- sending --- */

/* One attempt. held: net lock */
static int send_once(struct socket *s, struct pbuf *p, const struct socket_name *to)
{
    const ip_addr_t *own = is_raw(s) ? &s->raw->local_ip : &s->udp->local_ip;
    struct netif *netif;
    err_t err;

    if (is_raw(s))
        return socket_errno(raw_sendto(s->raw, p, &to->ip));
    if (s->udp->netif_idx != NETIF_NO_INDEX)
        netif = netif_get_by_index(s->udp->netif_idx);
    else if (ip_addr_ismulticast(&to->ip) && s->udp->mcast_ifindex != NETIF_NO_INDEX)
        netif = netif_get_by_index(s->udp->mcast_ifindex);
    else
        netif = ip_route(own, &to->ip);
    if (!netif)
        return -ENETUNREACH;
    /* The other side makes no checksum over fragments. */
    net_netif_checksum_udp(netif, p->tot_len + 48 > netif->mtu && netif->mtu);
    err = udp_sendto_if(s->udp, p, &to->ip, to->port, netif);
    net_netif_checksum_udp(netif, false);
    s->bound = true;
    return err == ERR_VAL ? -EACCES : socket_errno(err); /* a broadcast without SO_BROADCAST */
}

/* lwIP puts headers in front of `p`: for another attempt they go. held: net lock */
static int send_until(struct socket *s, struct pbuf *p, const struct socket_name *to,
                      uint64_t deadline_ns)
{
    void *payload = p->payload;
    uint16_t len = p->len;
    int rc;

    while ((rc = send_once(s, p, to)) == -EAGAIN && deadline_ns) {
        rc = net_netif_await_room(deadline_ns);
        if (rc)
            return rc;
        p->payload = payload;
        p->tot_len = p->len = len;
    }
    return rc;
}

static int destination(struct socket *s, const struct msghdr *message, struct socket_name *to)
{
    int rc;

    if (s->error)
        return socket_take_error(s);
    if (s->writing_shut)
        return -EPIPE;
    if (!message->msg_name || !message->msg_namelen)
        return s->state == SOCKET_CONNECTED ? datagram_names(s, NULL, to) : -EDESTADDRREQ;
    rc = socket_name_from(to, message->msg_name, message->msg_namelen);
    return rc ? rc : socket_name_fit(s, to, false);
}

static ssize_t datagram_send(struct socket *s, const struct msghdr *message, int flags,
                             uint64_t deadline_ns)
{
    struct iov_cursor from = iov_begin(message->msg_iov, message->msg_iovlen);
    size_t len = iov_left(&from);
    struct socket_name to = { .port = 0 };
    struct pbuf *p;
    int rc;

    (void)flags;
    if (len > 65507)
        return -EMSGSIZE;
    net_lock();
    rc = destination(s, message, &to);
    p = rc == 0 ? pbuf_alloc(PBUF_TRANSPORT, (u16_t)len, PBUF_RAM) : NULL;
    if (rc == 0 && !p)
        rc = -ENOBUFS;
    if (rc == 0) {
        iov_copy_out(&from, p->payload, len);
        rc = send_until(s, p, &to, deadline_ns);
    }
    if (p)
        pbuf_free(p);
    net_unlock();
    return rc ? rc : (ssize_t)len;
}

/* --- receiving --- */

static int await_datagram(struct socket *s, uint64_t deadline_ns)
{
    int rc = 0;

    while (rc == 0 && !s->datagrams) {
        if (s->error)
            return socket_take_error(s);
        if (s->reading_shut)
            return 0;
        rc = socket_wait(s, deadline_ns);
    }
    return rc;
}

/* What recvmsg() tells besides the bytes. */
static void describe(struct socket *s, const struct datagram *d, struct msghdr *message)
{
    struct cmsghdr *control = message->msg_control;
    size_t room = control ? message->msg_controllen : 0;
    struct in_pktinfo info = { .ipi_ifindex = d->interface };

    if (message->msg_name)
        socket_name_to(&d->from, s->family, message->msg_name, &message->msg_namelen);
    message->msg_controllen = 0;
    if (!s->pktinfo || IP_IS_V6_VAL(d->to))
        return;
    if (room < CMSG_SPACE(sizeof(info))) {
        message->msg_flags |= MSG_CTRUNC;
        return;
    }
    info.ipi_addr.s_addr = info.ipi_spec_dst.s_addr = ip_addr_get_ip4_u32(&d->to);
    *control = (struct cmsghdr){ CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO };
    memcpy(CMSG_DATA(control), &info, sizeof(info));
    message->msg_controllen = CMSG_SPACE(sizeof(info));
}

/* Take the first one off. held: net lock */
static struct datagram *take_first(struct socket *s)
{
    struct datagram *d = s->datagrams;

    s->datagrams = d->next;
    if (!s->datagrams)
        s->datagrams_end = &s->datagrams;
    s->received_len -= d->p->tot_len + DATAGRAM_COST;
    return d;
}

static size_t copy_datagram(const struct datagram *d, struct iov_cursor *to)
{
    size_t done = 0;

    for (struct pbuf *p = d->p; p && iov_left(to); p = p->next) {
        size_t len = MIN(iov_left(to), p->len);

        iov_copy_in(to, p->payload, len);
        done += len;
    }
    return done;
}

static ssize_t datagram_receive(struct socket *s, struct msghdr *message, int flags,
                                uint64_t deadline_ns)
{
    struct iov_cursor to = iov_begin(message->msg_iov, message->msg_iovlen);
    struct datagram *d;
    ssize_t rc;

    net_lock();
    rc = await_datagram(s, deadline_ns);
    message->msg_flags = 0;
    if (rc || !s->datagrams) { /* shut down */
        message->msg_namelen = 0;
        message->msg_controllen = 0;
        net_unlock();
        return rc;
    }
    d = flags & MSG_PEEK ? s->datagrams : take_first(s);
    describe(s, d, message);
    rc = (ssize_t)copy_datagram(d, &to);
    if (rc < d->p->tot_len)
        message->msg_flags |= MSG_TRUNC;
    if (flags & MSG_TRUNC)
        rc = d->p->tot_len;
    if (!(flags & MSG_PEEK)) {
        pbuf_free(d->p);
        kmem_free(d);
        if (!s->datagrams)
            socket_changed(s);
    }
    net_unlock();
    return rc;
}

static void datagram_close(struct socket *s, uint64_t deadline_ns)
{
    (void)deadline_ns;
    net_lock();
    if (is_raw(s))
        raw_remove(s->raw);
    else
        udp_remove(s->udp);
    while (s->datagrams) {
        struct datagram *d = take_first(s);

        pbuf_free(d->p);
        kmem_free(d);
    }
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
