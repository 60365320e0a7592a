/* SPDX-License-Identifier: MIT
 *
 * What all sockets have in common: they are files, and somebody waits for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include "kernel/time.h"
#include "lwip/err.h"
#include "lwip/pbuf.h"
#include "mm/kmem.h"
#include "net/netdev.h"
#include "net/socket.h"

struct socket *socket_new(const struct socket_ops *ops, int family, int type, int protocol)
{
    struct socket *s = kmem_alloc(sizeof(*s));

    if (!s)
        return NULL;
    s->ops = ops;
    s->family = family;
    s->type = type;
    s->protocol = protocol;
    s->receive_limit = 256 * 1024;
    s->received_end = &s->received;
    s->datagrams_end = &s->datagrams;
    list_init(&s->pending);
    list_init(&s->in_pending);
    s->q = (struct waitq)WAITQ_INIT_RANK(s->q, LOCK_CONDITION);
    fd_watchers_init(&s->watchers);
    mutex_init(&s->reader, false);
    mutex_init(&s->writer, false);
    return s;
}

void socket_free(struct socket *s)
{
    if (s->page)
        netbuf_put(s->page);
    kmem_free(s);
}

void socket_changed(struct socket *s)
{
    s->changes++;
    store_once(&s->ready, s->ops->ready(s));
    if (s->waiting)
        waitq_wake_all(&s->q);
    fd_watchers_changed(&s->watchers);
}

int socket_wait(struct socket *s, uint64_t deadline_ns)
{
    unsigned int before = s->changes;
    int rc;

    if (s->forsaken)
        return -EBADF;
    if (deadline_ns == 0)
        return -EAGAIN;
    net_flush();
    if (s->changes != before)
        return 0;
    s->waiting++;
    rc = net_sleep(&s->q, deadline_ns);
    s->waiting--;
    if (rc == -XEN_EINTR)
        return -EINTR;
    return rc ? -EAGAIN : s->forsaken ? -EBADF : 0;
}

int socket_take_error(struct socket *s)
{
    int error = s->error;

    s->error = 0;
    if (error)
        store_once(&s->ready, s->ops->ready(s));
    return -error;
}

int socket_errno(int err)
{
    static const int numbers[] = {
        [-ERR_OK] = 0,
        [-ERR_MEM] = ENOBUFS,
        [-ERR_BUF] = ENOBUFS,
        [-ERR_TIMEOUT] = ETIMEDOUT,
        [-ERR_RTE] = ENETUNREACH,
        [-ERR_INPROGRESS] = EINPROGRESS,
        [-ERR_VAL] = EINVAL,
        [-ERR_WOULDBLOCK] = EAGAIN,
        [-ERR_USE] = EADDRINUSE,
        [-ERR_ALREADY] = EALREADY,
        [-ERR_ISCONN] = EISCONN,
        [-ERR_CONN] = ENOTCONN,
        [-ERR_IF] = ENETDOWN,
        [-ERR_ABRT] = ECONNABORTED,
        [-ERR_RST] = ECONNRESET,
        [-ERR_CLSD] = ENOTCONN,
        [-ERR_ARG] = EINVAL,
    };

    return err <= 0 && -err < (int)ARRAY_SIZE(numbers) ? -numbers[-err] : -EIO;
}

/* --- as a file --- */

/* Until when an operation of this file waits. */
static uint64_t deadline_of(struct file *file, uint64_t timeout_ns)
{
    if (file_flags(file) & O_NONBLOCK)
        return 0;
    return timeout_ns ? time_after_ns(timeout_ns) : TIME_NEVER;
}

static ssize_t socket_file_readv(struct file *file, const struct iovec *parts, int count)
{
    struct socket *s = file_data(file);
    struct msghdr message = { .msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count };

    return s->ops->receive(s, &message, 0, deadline_of(file, s->receive_timeout_ns));
}

static ssize_t socket_file_writev(struct file *file, const struct iovec *parts, int count)
{
    struct socket *s = file_data(file);
    struct msghdr message = { .msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count };

    return s->ops->send(s, &message, 0, deadline_of(file, s->send_timeout_ns));
}

static ssize_t socket_file_read(struct file *file, void *out, size_t len)
{
    struct iovec part = { out, len };

    return socket_file_readv(file, &part, 1);
}

static ssize_t socket_file_write(struct file *file, const void *data, size_t len)
{
    struct iovec part = { (void *)data, len };

    return socket_file_writev(file, &part, 1);
}

static unsigned int socket_file_ready(struct file *file)
{
    return load_once(&((struct socket *)file_data(file))->ready);
}

static struct fd_watchers *socket_file_watchers(struct file *file)
{
    return &((struct socket *)file_data(file))->watchers;
}

static int socket_file_stat(struct file *file, struct stat *st)
{
    (void)file;
    st->st_mode = S_IFSOCK | 0600;
    return 0;
}

static int socket_file_ioctl(struct file *file, unsigned long request, void *arg)
{
    struct socket *s = file_data(file);

    if (request != FIONREAD)
        return -ENOTTY;
    net_lock();
    *(int *)arg = s->ops->readable(s);
    net_unlock();
    return 0;
}

static void socket_file_forsaken(struct file *file)
{
    struct socket *s = file_data(file);

    net_lock();
    s->forsaken = true;
    if (s->waiting)
        waitq_wake_all(&s->q);
    net_unlock();
}

static void socket_file_close(struct file *file)
{
    struct socket *s = file_data(file);

    fd_watchers_close(&s->watchers);
    s->ops->close(s, s->linger.l_onoff && !(file_flags(file) & O_NONBLOCK)
                         ? time_after_ns((uint64_t)s->linger.l_linger * NS_PER_S)
                         : 0);
    socket_free(s);
}

static const struct file_ops socket_file_ops = {
    .read = socket_file_read,
    .write = socket_file_write,
    .readv = socket_file_readv,
    .writev = socket_file_writev,
    .ready = socket_file_ready,
    .watchers = socket_file_watchers,
    .ioctl = socket_file_ioctl,
    .stat = socket_file_stat,
    .forsaken = socket_file_forsaken,
    .close = socket_file_close,
};

int socket_open(struct socket *s, int flags)
{
    return fd_open(&socket_file_ops, s, O_RDWR | flags);
}

struct socket *socket_get(int fd, struct file **file, int *rc)
{
    *file = file_get(fd);
    *rc = -EBADF;
    if (!*file)
        return NULL;
    if (file_ops(*file) == &socket_file_ops)
        return file_data(*file);
    file_put(*file);
    *rc = -ENOTSOCK;
    return NULL;
}
