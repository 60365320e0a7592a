/* SPDX-License-Identifier: MIT
 *
 * Stream sockets: connections of TCP, how they begin and end.  Bytes go in and out in
 * net/stream_io.c.
 *
 * held: net lock, in all functions called by lwIP.
 */
#include <errno.h>
#include "kernel/time.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"
#include "net/netdev.h"
#include "net/stream.h"

/* RFC 6928. */
#define FIRST_WINDOW_PACKETS 10
/* What may lie unread when memory is short. */
#define UNREAD_SHORT (16 * 1024)
/* Connections that are over but remembered (TIME_WAIT): more of them make lwIP slow, which walks
 * through them for each SYN. */
#define TIME_WAIT_MAX 512

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
    if (!s->tcp || s->writing_shut || stream_room(s) >= STREAM_ROOM_LOW)
        ready |= FD_WRITABLE;
    if (!s->tcp || (s->ended && s->writing_shut))
        ready |= FD_HUNG_UP;
    return ready;
}

/* --- what lwIP tells us --- */

static void stream_detach(struct socket *s)
{
    tcp_arg(s->tcp, NULL);
    if (s->state != SOCKET_LISTENING) {
        tcp_recv(s->tcp, NULL);
        tcp_sent(s->tcp, NULL);
        tcp_err(s->tcp, NULL);
    }
    s->tcp = NULL;
}

static err_t stream_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct socket *s = arg;

    (void)err;
    if (!p) {
        s->ended = true;
        /* Both sides have said their last word. lwIP goes on alone, and does not say when it frees
         * the control block. */
        if (pcb->state == TIME_WAIT || pcb->state == CLOSING)
            stream_detach(s);
    } else if (s->reading_shut) {
        tcp_recved(pcb, p->tot_len);
        pbuf_free(p);
    } else if (s->received_len + s->taken_len >= UNREAD_SHORT && netbuf_is_short()) {
        return ERR_MEM; /* lwIP keeps this, and nothing that comes behind it */
    } else {
        /* What came as one piece was several packets: say so at once, the sender may count them. */
        if (p->tot_len > pcb->mss)
            tcp_ack_now(pcb);
        stream_take(s, p);
    }
    socket_changed(s);
    return ERR_OK;
}

static err_t stream_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    struct socket *s = arg;

    (void)len;
    if (!pcb->unsent && !pcb->unacked && s->page) { /* idle connections keep no page */
        netbuf_put(s->page);
        s->page = NULL;
    }
    if (!(s->ready & FD_WRITABLE) || s->waiting)
        socket_changed(s);
    return ERR_OK;
}

/* The control block is freed already. */
static void stream_failed(void *arg, err_t err)
{
    struct socket *s = arg;

    s->tcp = NULL;
    if (s->state == SOCKET_CONNECTING) {
        s->error = err == ERR_RST ? ECONNREFUSED : ETIMEDOUT;
        s->state = SOCKET_NEW;
    } else if (err != ERR_CLSD) { /* that: both sides are through */
        s->error = err == ERR_RST ? ECONNRESET : err == ERR_ABRT ? ETIMEDOUT : -socket_errno(err);
    }
    socket_changed(s);
}

static void stream_begin(struct socket *s, struct tcp_pcb *pcb)
{
    pcb->cwnd = MAX(pcb->cwnd, FIRST_WINDOW_PACKETS * (tcpwnd_size_t)pcb->mss);
    s->state = SOCKET_CONNECTED;
}

static err_t stream_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct socket *s = arg;

    (void)err; /* always ERR_OK */
    stream_begin(s, pcb);
    socket_changed(s);
    return ERR_OK;
}

static void stream_attach(struct socket *s, struct tcp_pcb *pcb)
{
    s->tcp = pcb;
    tcp_arg(pcb, s);
    tcp_recv(pcb, stream_received);
    tcp_sent(pcb, stream_sent);
    tcp_err(pcb, stream_failed);
}

/* Forget the oldest connections that are over. */
static void limit_time_wait(void)
{
    struct tcp_pcb *pcb = tcp_tw_pcbs;
    unsigned int count = 0;

    for (; pcb && count < TIME_WAIT_MAX; pcb = pcb->next)
        count++;
    while (pcb) { /* new ones are first in the list */
        struct tcp_pcb *next = pcb->next;

        tcp_abort(pcb);
        pcb = next;
    }
}

static err_t stream_accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct socket *listener = arg, *s;
    static unsigned int count;

    if (err != ERR_OK || !pcb || !listener)
        return ERR_VAL;
    s = socket_new(&stream_socket_ops, listener->family, SOCK_STREAM, IPPROTO_TCP);
    if (!s)
        return ERR_MEM; /* lwIP resets the connection */
    if (++count % 64 == 0)
        limit_time_wait();
    s->v6only = listener->v6only;
    s->linger = listener->linger;
    s->receive_timeout_ns = listener->receive_timeout_ns;
    s->send_timeout_ns = listener->send_timeout_ns;
    s->bound = true;
    if (listener->nodelay)
        tcp_nagle_disable(pcb);
    stream_attach(s, pcb);
    stream_begin(s, pcb);
    tcp_backlog_delayed(pcb);
    s->listener = listener;
    list_add_last(&listener->pending, &s->in_pending);
    socket_changed(s);
    socket_changed(listener);
    return ERR_OK;
}

/* --- what programs ask --- */

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
