/* SPDX-License-Identifier: MIT
 *
 * Bytes into stream sockets.  They are copied once, and not under the net lock: from the program's
 * memory into netbufs, which the segments then refer to.
 */
#include <errno.h>
#include <signal.h>
#include "kernel/time.h"
#include "lwip/tcp.h"
#include "mm/page.h"
#include "net/iov.h"
#include "net/netdev.h"
#include "net/stream.h"

__attribute__((weak)) int libc_raise(int signal); /* libc/internal.h */

size_t stream_room(const struct socket *s)
{
    return net_segment_room(s->tcp);
}

#define PIECES_MAX 16 /* netbufs filled between two looks at the connection */

/* Bytes in a netbuf, filled and not yet written. */
struct piece {
    struct netbuf *buf; /* a use of it */
    char *data;
    uint16_t len;
};

/* The page that is not full yet, or a new one. held: writer. False: no memory. */
static bool page_ready(struct socket *s)
{
    struct netbuf *page;

    if (s->filling && s->page_used < PAGE_SIZE)
        return true;
    page = netbuf_alloc();
    if (!page)
        return false;
    if (s->filling)
        netbuf_put(s->filling);
    s->filling = page;
    /* lwIP takes bytes that follow each other in memory for one piece: not across netbufs. */
    s->page_used = s->page_end == netbuf_page(page) ? 16 : 0;
    return true;
}

/* Fill pieces with at most `len` bytes of what is to be sent. held: writer. How many pieces. */
static unsigned int fill_pieces(struct socket *s, struct iov_cursor *from, size_t len,
                                struct piece *pieces)
{
    unsigned int count = 0;

    while (len && count < PIECES_MAX && page_ready(s)) {
        struct piece *piece = &pieces[count++];

        piece->buf = s->filling;
        piece->data = (char *)netbuf_page(s->filling) + s->page_used;
        piece->len = (uint16_t)MIN(len, PAGE_SIZE - s->page_used);
        netbuf_get(piece->buf);
        iov_copy_out(from, piece->data, piece->len);
        s->page_used += piece->len;
        s->page_end = piece->data + piece->len;
        len -= piece->len;
    }
    return count;
}

/* 0, or why nothing can be sent. held: net lock */
static int may_send(struct socket *s)
{
    if (s->error)
        return socket_take_error(s);
    if (s->state == SOCKET_NEW || s->state == SOCKET_LISTENING)
        return -ENOTCONN;
    if (s->writing_shut || (!s->tcp && s->state != SOCKET_CONNECTING))
        return -EPIPE;
    return s->forsaken ? -EBADF : 0;
}

/* Wait until there is room, and how much. held: net lock, writer */
static ssize_t await_room(struct socket *s, size_t wanted, uint64_t deadline_ns)
{
    for (;;) {
        int rc = may_send(s);
        size_t room = rc == 0 && s->state == SOCKET_CONNECTED ? stream_room(s) : 0;

        if (rc)
            return rc;
        if (room >= MIN(wanted, stream_room_low()))
            return (ssize_t)room;
        if (deadline_ns == 0 && room)
            return (ssize_t)room;
        socket_changed(s); /* it is not writable: s->ready says so from here on */
        rc = socket_wait(s, deadline_ns);
        if (rc)
            return rc;
    }
}

/* Give lwIP the pieces. How many bytes it took, or a negative errno. held: net lock, writer */
static ssize_t write_pieces(struct socket *s, const struct piece *pieces, unsigned int count,
                            bool more)
{
    ssize_t written = 0;
    int rc = may_send(s);

    for (unsigned int i = 0; i < count && rc == 0; i++) {
        rc = socket_errno(net_segment_write(s->tcp, pieces[i].buf, pieces[i].data, pieces[i].len,
                                            more || i + 1 < count));
        if (rc == 0)
            written += pieces[i].len;
    }
    if (written)
        tcp_output(s->tcp);
    return written ? written : rc;
}

/* Fill and write once, at most `room` bytes. Like write_pieces(); *len is how many were filled.
 * held: net lock, writer */
static ssize_t send_some(struct socket *s, struct iov_cursor *from, size_t room, bool more,
                         size_t *len)
{
    struct piece pieces[PIECES_MAX];
    unsigned int count;
    ssize_t rc;

    s->filling = s->page;
    s->page = NULL;
    net_unlock();
    count = fill_pieces(s, from, room, pieces);
    *len = 0;
    for (unsigned int i = 0; i < count; i++)
        *len += pieces[i].len;
    net_lock();
    rc = count ? write_pieces(s, pieces, count, more || iov_left(from)) : -ENOBUFS;
    s->page = s->filling;
    s->filling = NULL;
    for (unsigned int i = 0; i < count; i++)
        netbuf_put(pieces[i].buf);
    return rc;
}

/* held: writer */
static ssize_t send_all(struct socket *s, struct iov_cursor *from, int flags, uint64_t deadline_ns)
{
    size_t left = iov_left(from), done = 0, len;
    ssize_t rc;

    net_lock();
    rc = left ? await_room(s, left, deadline_ns) : may_send(s);
    while (rc > 0 && left) {
        rc = send_some(s, from, MIN(left, (size_t)rc), flags & MSG_MORE, &len);
        if (rc <= 0)
            break;
        done += (size_t)rc;
        left -= (size_t)rc;
        if ((size_t)rc < len)
            break; /* out of memory half way: what is done is done */
        if (left)
            rc = await_room(s, left, deadline_ns);
    }
    if (s->tcp && s->state == SOCKET_CONNECTED && stream_room(s) < stream_room_low())
        socket_changed(s);
    net_unlock();
    return done ? (ssize_t)done : rc;
}

ssize_t stream_send(struct socket *s, const struct msghdr *message, int flags, uint64_t deadline_ns)
{
    struct iov_cursor from = iov_begin(message->msg_iov, message->msg_iovlen);
    ssize_t rc;

    if (mutex_lock_interruptible(&s->writer, TIME_NEVER))
        return -EINTR;
    rc = send_all(s, &from, flags, deadline_ns);
    mutex_unlock(&s->writer);
    if (rc == -EPIPE && !(flags & MSG_NOSIGNAL) && libc_raise)
        libc_raise(SIGPIPE);
    return rc;
}
