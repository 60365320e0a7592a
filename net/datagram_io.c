/* SPDX-License-Identifier: MIT
 *
 * Messages in and out of datagram and raw sockets.  Each message that came waits with its sender's
 * address; when more wait than the socket's limit, new ones are dropped.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include "kernel/time.h"
#include "lwip/raw.h"
#include "lwip/udp.h"
#include "mm/kmem.h"
#include "net/budget.h"
#include "net/datagram.h"
#include "net/iov.h"
#include "net/netif.h"

/* Besides its bytes a message costs about so much. */
#define DATAGRAM_COST 512

/* --- sending --- */

/* One attempt. held: net lock */
static int send_once(struct socket *s, struct pbuf *p, const struct socket_name *to)
{
    const ip_addr_t *own = datagram_is_raw(s) ? &s->raw->local_ip : &s->udp->local_ip;
    struct netif *netif;
    err_t err;

    if (datagram_is_raw(s))
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

ssize_t datagram_send(struct socket *s, const struct msghdr *message, int flags,
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

void datagram_queue(struct socket *s, struct pbuf *p, const ip_addr_t *from, uint16_t port)
{
    struct datagram *d = NULL;

    if (s->received_len < s->receive_limit && !s->reading_shut &&
        (!net_budget_is_tight() || net_budget_allows(s->held_pages)))
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
    s->held_pages += pbuf_clen(p);
    *s->datagrams_end = d;
    s->datagrams_end = &d->next;
    socket_changed(s);
}

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
    s->held_pages -= pbuf_clen(d->p);
    return d;
}

void datagram_drop_all(struct socket *s)
{
    while (s->datagrams) {
        struct datagram *d = take_first(s);

        pbuf_free(d->p);
        kmem_free(d);
    }
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

ssize_t datagram_receive(struct socket *s, struct msghdr *message, int flags, uint64_t deadline_ns)
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
