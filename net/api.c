/* SPDX-License-Identifier: MIT
 *
 * <sys/socket.h>: from descriptors, sockaddrs and errno to struct socket_ops.  What may wait is a
 * cancellation point and is interrupted by signals.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>
#include "kernel/time.h"
#include "libc/blocking.h"
#include "net/socket.h"

#define TYPE_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

static int open_flags(int flags)
{
    return flags & SOCK_NONBLOCK ? O_NONBLOCK : 0;
}

/* Until when a call waits. */
static uint64_t deadline_of(struct file *file, uint64_t timeout_ns, int flags)
{
    if (flags & MSG_DONTWAIT || file_flags(file) & O_NONBLOCK)
        return 0;
    return timeout_ns ? time_after_ns(timeout_ns) : TIME_NEVER;
}

/* With the socket of `fd` as `s`, and its file: rc = (expression). */
#define WITH_SOCKET(fd, expression)                                                                \
    ({                                                                                             \
        struct file *file;                                                                         \
        int with_rc_;                                                                              \
        struct socket *s = socket_get((fd), &file, &with_rc_);                                     \
        ssize_t value_ = with_rc_;                                                                 \
                                                                                                   \
        if (s) {                                                                                   \
            value_ = (expression);                                                                 \
            file_put(file);                                                                        \
        }                                                                                          \
        value_;                                                                                    \
    })
#define LOCKED(expression)                                                                         \
    ({                                                                                             \
        ssize_t locked_;                                                                           \
                                                                                                   \
        net_lock();                                                                                \
        locked_ = (expression);                                                                    \
        net_unlock();                                                                              \
        locked_;                                                                                   \
    })

static int create(int family, int type, int protocol)
{
    int kind = type & ~TYPE_FLAGS, fd, rc;
    struct socket *s;

    if (family != AF_INET && family != AF_INET6)
        return -EAFNOSUPPORT;
    if (kind == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP))
        s = socket_new(&stream_socket_ops, family, kind, IPPROTO_TCP);
    else if (kind == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP))
        s = socket_new(&datagram_socket_ops, family, kind, IPPROTO_UDP);
    else if (kind == SOCK_RAW && protocol > 0 && protocol < 256)
        s = socket_new(&raw_socket_ops, family, kind, protocol);
    else
        return kind == SOCK_STREAM || kind == SOCK_DGRAM ? -EPROTONOSUPPORT : -EPROTOTYPE;
    if (!s)
        return -ENOMEM;
    rc = kind == SOCK_STREAM  ? stream_socket_create(s)
         : kind == SOCK_DGRAM ? datagram_socket_create(s)
                              : raw_socket_create(s);
    fd = rc ? rc : socket_open(s, open_flags(type));
    if (fd < 0) {
        if (rc == 0)
            s->ops->close(s, 0);
        socket_free(s);
    }
    return fd;
}

int socket(int family, int type, int protocol)
{
    return (int)libc_result(create(family, type, protocol));
}

static int bind_to(struct socket *s, const struct sockaddr *address, socklen_t len)
{
    struct socket_name name;
    int rc = socket_name_from(&name, address, len);

    if (rc == 0)
        rc = socket_name_fit(s, &name, true);
    return rc ? rc : (int)LOCKED(s->ops->bind(s, &name));
}

int bind(int fd, const struct sockaddr *address, socklen_t len)
{
    return (int)libc_result(WITH_SOCKET(fd, bind_to(s, address, len)));
}

int listen(int fd, int backlog)
{
    return (int)libc_result(WITH_SOCKET(fd, LOCKED(s->ops->listen(s, backlog))));
}

/* A datagram socket's peer goes away with AF_UNSPEC. */
static int connect_to(struct socket *s, struct file *file, const struct sockaddr *address,
                      socklen_t len)
{
    struct socket_name name;
    int rc = socket_name_from(&name, address, len);

    if (rc == 0)
        rc = socket_name_fit(s, &name, false);
    if (rc)
        return rc;
    return (int)LOCKED(s->ops->connect(s, &name, deadline_of(file, s->send_timeout_ns, 0)));
}

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    return (int)BLOCKING(WITH_SOCKET(fd, connect_to(s, file, address, len)));
}

static int accept_from(struct socket *s, struct file *file, struct sockaddr *address,
                       socklen_t *len, int flags)
{
    struct socket_name peer = { .port = 0 };
    struct socket *connection = NULL;
    int fd, rc;

    net_lock();
    rc = s->ops->accept(s, &connection, deadline_of(file, s->receive_timeout_ns, 0));
    if (rc == 0 && address)
        connection->ops->names(connection, NULL, &peer);
    net_unlock();
    if (rc)
        return rc;
    fd = socket_open(connection, open_flags(flags));
    if (fd < 0) {
        connection->ops->close(connection, 0);
        socket_free(connection);
    } else if (address) {
        socket_name_to(&peer, connection->family, address, len);
    }
    return fd;
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict len, int flags)
{
    return (int)BLOCKING(WITH_SOCKET(fd, accept_from(s, file, address, len, flags)));
}

int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict len)
{
    return accept4(fd, address, len, 0);
}

int shutdown(int fd, int how)
{
    if (how < SHUT_RD || how > SHUT_RDWR)
        return (int)libc_result(-EINVAL);
    return (int)libc_result(WITH_SOCKET(fd, LOCKED(s->ops->shutdown(s, how))));
}

static int name_of(struct socket *s, bool peer, struct sockaddr *address, socklen_t *len)
{
    struct socket_name name = { .port = 0 };
    int rc = (int)LOCKED(s->ops->names(s, peer ? NULL : &name, peer ? &name : NULL));

    if (rc == 0)
        socket_name_to(&name, s->family, address, len);
    return rc;
}

int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict len)
{
    return (int)libc_result(WITH_SOCKET(fd, name_of(s, false, address, len)));
}

int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict len)
{
    return (int)libc_result(WITH_SOCKET(fd, name_of(s, true, address, len)));
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
    return (int)libc_result(WITH_SOCKET(fd, LOCKED(socket_get_option(s, level, name, value, len))));
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    return (int)libc_result(WITH_SOCKET(fd, LOCKED(socket_set_option(s, level, name, value, len))));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return BLOCKING(WITH_SOCKET(
        fd, s->ops->send(s, message, flags, deadline_of(file, s->send_timeout_ns, flags))));
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *address,
               socklen_t address_len)
{
    struct iovec part = { (void *)data, len };
    struct msghdr message = { .msg_name = (void *)address,
                              .msg_namelen = address ? address_len : 0,
                              .msg_iov = &part,
                              .msg_iovlen = 1 };

    return sendmsg(fd, &message, flags);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    return sendto(fd, data, len, flags, NULL, 0);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return BLOCKING(WITH_SOCKET(
        fd, s->ops->receive(s, message, flags, deadline_of(file, s->receive_timeout_ns, flags))));
}

ssize_t recvfrom(int fd, void *restrict out, size_t len, int flags,
                 struct sockaddr *restrict address, socklen_t *restrict address_len)
{
    struct iovec part = { out, len };
    struct msghdr message = { .msg_name = address,
                              .msg_namelen = address && address_len ? *address_len : 0,
                              .msg_iov = &part,
                              .msg_iovlen = 1 };
    ssize_t rc = recvmsg(fd, &message, flags);

    if (rc >= 0 && address && address_len)
        *address_len = message.msg_namelen;
    return rc;
}

ssize_t recv(int fd, void *out, size_t len, int flags)
{
    return recvfrom(fd, out, len, flags, NULL, NULL);
}

int sockatmark(int fd)
{
    return (int)libc_result(WITH_SOCKET(fd, 0));
}

/* A connection with ourselves; nobody else can have come in between. */
int socketpair(int family, int type, int protocol, int fds[2])
{
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in peer = { .sin_port = 0 }, first = { .sin_port = 0 };
    socklen_t len = sizeof(own), peer_len = sizeof(peer);
    int listener, rc = -1;

    if ((family != AF_UNIX && family != AF_INET) || (type & ~TYPE_FLAGS) != SOCK_STREAM)
        return (int)libc_result(family != AF_UNIX ? -EAFNOSUPPORT : -EPROTONOSUPPORT);
    fds[0] = fds[1] = -1;
    (void)protocol;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener >= 0 && (fds[0] = socket(AF_INET, SOCK_STREAM, 0)) >= 0 &&
        bind(listener, (struct sockaddr *)&own, len) == 0 && listen(listener, 1) == 0 &&
        getsockname(listener, (struct sockaddr *)&own, &len) == 0 &&
        connect(fds[0], (struct sockaddr *)&own, len) == 0 &&
        getsockname(fds[0], (struct sockaddr *)&first, &len) == 0 &&
        (fds[1] = accept4(listener, (struct sockaddr *)&peer, &peer_len, type & TYPE_FLAGS)) >= 0 &&
        peer.sin_port == first.sin_port) {
        if (type & SOCK_NONBLOCK)
            fcntl(fds[0], F_SETFL, O_NONBLOCK);
        rc = 0;
    }
    if (listener >= 0)
        close(listener);
    if (rc == 0)
        return 0;
    rc = errno;
    if (fds[0] >= 0)
        close(fds[0]);
    if (fds[1] >= 0)
        close(fds[1]);
    errno = rc;
    return -1;
}
