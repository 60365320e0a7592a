/* SPDX-License-Identifier: MIT
 *
 * Stream sockets: connections of TCP, how they begin and end.  What lwIP tells them is in
 * net/stream_events.c; bytes pass in net/stream_send.c and net/stream_receive.c.
 */
#include <errno.h>
#include "kernel/time.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"
#include "net/stream.h"

static unsigned int stream_ready(struct socket *s)
{
    unsigned int ready = s->error ? FD_BROKEN | FD_READABLE | FD_WRITABLE : 0;

    if (s->state == SOCKET_LISTENING)
        return ready | (list_empty(&s->pending) ? 0 : FD_READABLE);
    if (s->state == SOCKET_CONNECTING)
        return ready;
    if (s->received_len || s->taken_len || s->ended || s->reading_shut || !s->tcp)
        ready |= FD_READABLE;
    if (s->ended || !s->tcp)
        ready |= FD_ENDED;
    if (!s->tcp || s->writing_shut || stream_room(s) >= stream_room_low())
        ready |= FD_WRITABLE;
    if (!s->tcp || (s->ended && s->writing_shut))
        ready |= FD_HUNG_UP;
    return ready;
}

int stream_socket_create(struct socket *s)
{
    struct tcp_pcb *pcb;

    net_lock();
    pcb = tcp_new_ip_type(socket_ip_type(s));
    if (pcb) {
        stream_attach(s, pcb);
        s->ready = FD_WRITABLE | FD_HUNG_UP; /* not connected */
    }
    net_unlock();
    return pcb ? 0 : -ENOBUFS;
}

/* A connection attempt that failed took the control block with it. */
static int stream_again(struct socket *s)
{
    struct tcp_pcb *pcb;

    if (s->tcp)
        return 0;
    pcb = tcp_new_ip_type(socket_ip_type(s));
    if (!pcb)
        return -ENOBUFS;
    stream_attach(s, pcb);
    return 0;
}

static int stream_bind(struct socket *s, const struct socket_name *name)
{
    int rc = s->bound || s->state != SOCKET_NEW ? -EINVAL : stream_again(s);

    if (rc == 0)
        rc = socket_errno(tcp_bind(s->tcp, &name->ip, name->port));
    s->bound = rc == 0;
    return rc;
}

static int stream_connect(struct socket *s, const struct socket_name *name, uint64_t deadline_ns)
{
    int rc = 0;

    if (s->state == SOCKET_CONNECTED)
        return -EISCONN;
    if (s->state == SOCKET_LISTENING)
        return -EINVAL;
    if (s->state == SOCKET_CONNECTING && deadline_ns == 0)
        return -EALREADY;
    if (s->state == SOCKET_NEW) {
        s->error = 0;
        rc = stream_again(s);
        if (rc == 0)
            rc = socket_errno(tcp_connect(s->tcp, &name->ip, name->port, stream_connected));
        if (rc)
            return rc;
        s->state = SOCKET_CONNECTING;
        s->bound = true;
        socket_changed(s);
        net_flush(); /* over the loopback it may be done at once */
    }
    while (s->state == SOCKET_CONNECTING && rc == 0)
        rc = socket_wait(s, deadline_ns);
    if (s->state == SOCKET_CONNECTED)
        return 0;
    if (s->state == SOCKET_CONNECTING)
        return rc == -EAGAIN ? -EINPROGRESS : rc;
    rc = socket_take_error(s);
    return rc ? rc : -ECONNABORTED;
}

static int stream_listen(struct socket *s, int backlog)
{
    struct tcp_pcb *pcb;
    err_t err = ERR_OK;
    int rc = stream_again(s);

    if (rc || (s->state != SOCKET_NEW && s->state != SOCKET_LISTENING))
        return rc ? rc : -EINVAL;
    backlog = backlog <= 0 ? 1 : MIN(backlog, SOMAXCONN);
    if (s->state == SOCKET_LISTENING) {
        tcp_backlog_set((struct tcp_pcb_listen *)s->tcp, (u8_t)backlog);
        return 0;
    }
    if (!s->bound)
        err = tcp_bind(s->tcp, NULL, 0);
    s->nodelay = tcp_nagle_disabled(s->tcp);
    pcb = err == ERR_OK ? tcp_listen_with_backlog_and_err(s->tcp, (u8_t)backlog, &err) : NULL;
    if (!pcb)
        return socket_errno(err);
    s->tcp = pcb;
    s->state = SOCKET_LISTENING;
    tcp_accept(pcb, stream_accepted);
    socket_changed(s);
    return 0;
}

static int stream_accept(struct socket *s, struct socket **connection, uint64_t deadline_ns)
{
    struct list *first;
    int rc = 0;

    if (s->state != SOCKET_LISTENING)
        return -EINVAL;
    while (list_empty(&s->pending) && rc == 0)
        rc = socket_wait(s, deadline_ns);
    if (rc)
        return rc;
    first = list_take_first(&s->pending);
    *connection = list_entry(first, struct socket, in_pending);
    (*connection)->listener = NULL;
    if ((*connection)->tcp)
        tcp_backlog_accepted((*connection)->tcp);
    socket_changed(s);
    return 0;
}

static int stream_shutdown(struct socket *s, int how)
{
    if (s->state == SOCKET_LISTENING) {
        s->error = EINVAL; /* who waits in accept() hears of it */
        socket_changed(s);
        return 0;
    }
    if (s->state != SOCKET_CONNECTED)
        return -ENOTCONN;
    if (how != SHUT_WR) {
        s->reading_shut = true;
        stream_drop_received(s);
    }
    if (how != SHUT_RD && !s->writing_shut) {
        s->writing_shut = true;
        if (s->tcp)
            tcp_shutdown(s->tcp, 0, 1); /* without memory lwIP tries again itself */
    }
    socket_changed(s);
    return 0;
}

static int stream_names(struct socket *s, struct socket_name *own, struct socket_name *peer)
{
    if (!s->tcp)
        return peer ? -ENOTCONN : -EINVAL;
    if (own)
        *own = (struct socket_name){ .ip = s->tcp->local_ip, .port = s->tcp->local_port };
    if (peer && s->state != SOCKET_CONNECTED)
        return -ENOTCONN;
    if (peer)
        *peer = (struct socket_name){ .ip = s->tcp->remote_ip, .port = s->tcp->remote_port };
    return 0;
}

static int stream_readable(struct socket *s)
{
    return (int)(s->received_len + load_once(&s->taken_len));
}

/* Wait until what was written is acknowledged. */
static void stream_linger(struct socket *s, uint64_t deadline_ns)
{
    bool forsaken = s->forsaken;

    s->forsaken = false;
    while (s->tcp && (s->tcp->unsent || s->tcp->unacked) && socket_wait(s, deadline_ns) == 0)
        ;
    s->forsaken = forsaken;
}

static void stream_close(struct socket *s, uint64_t deadline_ns)
{
    struct list *first;

    net_lock();
    while ((first = list_take_first(&s->pending))) {
        struct socket *connection = list_entry(first, struct socket, in_pending);
        struct tcp_pcb *pcb = connection->tcp;

        if (pcb) {
            stream_detach(connection);
            tcp_abort(pcb);
        }
        stream_drop_received(connection);
        net_unlock();
        socket_free(connection);
        net_lock();
    }
    if (s->state == SOCKET_CONNECTED && deadline_ns && s->linger.l_linger > 0) {
        if (s->tcp && !s->writing_shut)
            tcp_shutdown(s->tcp, 0, 1);
        stream_linger(s, deadline_ns);
    }
    if (s->tcp) {
        struct tcp_pcb *pcb = s->tcp;

        stream_detach(s);
        if (s->linger.l_onoff && s->linger.l_linger == 0 && s->state == SOCKET_CONNECTED)
            tcp_abort(pcb);
        else if (tcp_close(pcb) != ERR_OK)
            tcp_abort(pcb);
    }
    stream_drop_received(s);
    net_unlock();
}

const struct socket_ops stream_socket_ops = {
    .bind = stream_bind,
    .connect = stream_connect,
    .listen = stream_listen,
    .accept = stream_accept,
    .shutdown = stream_shutdown,
    .names = stream_names,
    .send = stream_send,
    .receive = stream_receive,
    .readable = stream_readable,
    .ready = stream_ready,
    .close = stream_close,
};
