/* SPDX-License-Identifier: MIT
 *
 * What lwIP tells stream sockets: connections begin, bytes come or are acknowledged, it fails.
 *
 * held: net lock, everywhere.
 */
#include <errno.h>
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"
#include "net/netdev.h"
#include "net/stream.h"

/* RFC 6928. */
#define FIRST_WINDOW_PACKETS 10
/* Connections that are over but remembered (TIME_WAIT): more of them make lwIP slow, which walks
 * through them for each SYN. */
#define TIME_WAIT_MAX 512

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

err_t stream_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct socket *s = arg;

    (void)err; /* always ERR_OK */
    stream_begin(s, pcb);
    socket_changed(s);
    return ERR_OK;
}

void stream_attach(struct socket *s, struct tcp_pcb *pcb)
{
    s->tcp = pcb;
    tcp_arg(pcb, s);
    tcp_recv(pcb, stream_received);
    tcp_sent(pcb, stream_sent);
    tcp_err(pcb, stream_failed);
}

void stream_detach(struct socket *s)
{
    tcp_arg(s->tcp, NULL);
    if (s->state != SOCKET_LISTENING) {
        tcp_recv(s->tcp, NULL);
        tcp_sent(s->tcp, NULL);
        tcp_err(s->tcp, NULL);
    }
    s->tcp = NULL;
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

err_t stream_accepted(void *arg, struct tcp_pcb *pcb, err_t err)
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
