/* SPDX-License-Identifier: MIT
 *
 * Bytes out of stream sockets.  They are copied once, and not under the net lock: from the netbufs
 * they came in to the program's memory.
 */
#include <errno.h>
#include "kernel/time.h"
#include "lwip/tcp.h"
#include "net/iov.h"
#include "net/memory.h"
#include "net/stream.h"

void stream_take(struct socket *s, struct pbuf *p)
{
    s->received_len += p->tot_len;
    *s->received_end = p;
    for (; p; p = p->next) {
        s->held_pages++;
        s->received_end = &p->next;
    }
}

/* Each pbuf of ours is its own: only `next` and `len` count. held: net lock */
static void free_pbufs(struct socket *s, struct pbuf *first)
{
    for (const struct pbuf *p = first; p; p = p->next)
        s->held_pages--;
    net_pbufs_free(first);
}

void stream_drop_received(struct socket *s)
{
    free_pbufs(s, s->received);
    s->received = NULL;
    s->received_end = &s->received;
    s->received_len = 0;
    free_pbufs(s, s->taken);
    s->taken = NULL;
    s->taken_len = 0;
}

/* All that came goes to the reader. held: net lock, reader */
static void take_received(struct socket *s)
{
    struct pbuf **end = &s->taken;

    if (!s->received)
        return;
    while (*end)
        end = &(*end)->next;
    *end = s->received;
    store_once(&s->taken_len, s->taken_len + s->received_len);
    s->received = NULL;
    s->received_end = &s->received;
    s->received_len = 0;
}

/* Wait until there is something to read: 1; 0 at the end of input; or a negative errno. held: net
 * lock, reader */
static int await_data(struct socket *s, uint64_t deadline_ns)
{
    int rc = 0;

    while (rc == 0) {
        take_received(s);
        if (s->taken)
            return 1;
        if (s->error)
            return socket_take_error(s);
        if (s->ended || s->reading_shut)
            return 0;
        if (s->state == SOCKET_NEW || s->state == SOCKET_LISTENING)
            return -ENOTCONN;
        if (!s->tcp)
            return 0;
        rc = socket_wait(s, deadline_ns);
    }
    return rc;
}

/* Copy from what was taken; what was read up goes to *used. held: reader */
static size_t copy_taken(struct socket *s, struct iov_cursor *to, struct pbuf **used)
{
    struct pbuf **end = used;
    size_t done = 0;

    for (struct pbuf *p = s->taken; p && iov_left(to); p = s->taken) {
        size_t len = MIN(iov_left(to), p->len);

        iov_copy_in(to, p->payload, len);
        done += len;
        if (len == p->len) {
            s->taken = p->next;
            p->next = NULL;
            *end = p;
            end = &p->next;
        } else {
            p->payload = (char *)p->payload + len;
            p->len -= (uint16_t)len;
        }
    }
    store_once(&s->taken_len, s->taken_len - (unsigned int)done);
    return done;
}

/* held: reader */
static size_t peek_taken(struct socket *s, struct iov_cursor *to)
{
    size_t done = 0;

    for (struct pbuf *p = s->taken; p && iov_left(to); p = p->next) {
        size_t len = MIN(iov_left(to), p->len);

        iov_copy_in(to, p->payload, len);
        done += len;
    }
    return done;
}

/* So many bytes were read: the window opens again. held: net lock, reader */
static void give_back(struct socket *s, struct pbuf *used, size_t len)
{
    free_pbufs(s, used);
    for (; s->tcp && len; len -= MIN(len, 0xffffu))
        tcp_recved(s->tcp, (u16_t)MIN(len, 0xffffu));
    take_received(s);
    if (!s->taken)
        socket_changed(s);
}

/* held: reader */
static ssize_t receive_all(struct socket *s, struct iov_cursor *to, int flags, uint64_t deadline_ns)
{
    size_t done = 0;
    int rc = 1;

    do {
        struct pbuf *used = NULL;
        size_t len;

        if (!s->taken) {
            net_lock();
            rc = await_data(s, deadline_ns);
            net_unlock();
            if (rc <= 0)
                break;
        }
        if (flags & MSG_PEEK)
            return (ssize_t)peek_taken(s, to);
        len = copy_taken(s, to, &used);
        done += len;
        net_lock();
        give_back(s, used, len);
        net_unlock();
    } while (iov_left(to) && flags & MSG_WAITALL);
    return done ? (ssize_t)done : rc;
}

ssize_t stream_receive(struct socket *s, struct msghdr *message, int flags, uint64_t deadline_ns)
{
    struct iov_cursor to = iov_begin(message->msg_iov, message->msg_iovlen);
    ssize_t rc;

    message->msg_namelen = 0;
    message->msg_controllen = 0;
    message->msg_flags = 0;
    if (mutex_lock_interruptible(&s->reader, TIME_NEVER))
        return -EINTR;
    rc = iov_left(&to) ? receive_all(s, &to, flags, deadline_ns) : 0;
    mutex_unlock(&s->reader);
    return rc;
}
