/* SPDX-License-Identifier: MIT
 *
 * What the tests of sockets share.
 */
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "apps/selftest/selftest.h"

/* Fails with errno `error`. */
#define CHECK_FAILS(expr, error)                                                                   \
    do {                                                                                           \
        errno = 0;                                                                                 \
        CHECK_EQ(expr, -1);                                                                        \
        CHECK_EQ(errno, error);                                                                    \
    } while (0)

/* A loopback address of the family, port 0. */
static inline socklen_t loopback(int family, struct sockaddr_storage *address)
{
    memset(address, 0, sizeof(*address));
    address->ss_family = family;
    if (family == AF_INET) {
        ((struct sockaddr_in *)address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return sizeof(struct sockaddr_in);
    }
    ((struct sockaddr_in6 *)address)->sin6_addr = in6addr_loopback;
    return sizeof(struct sockaddr_in6);
}

/* A bound socket; *address and *len are its own. -1: errno. */
static inline int bound(int family, int type, struct sockaddr_storage *address, socklen_t *len)
{
    int fd = socket(family, type, 0);

    *len = loopback(family, address);
    if (fd >= 0 && (bind(fd, (struct sockaddr *)address, *len) ||
                    getsockname(fd, (struct sockaddr *)address, len))) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline int listening(int family, int backlog, struct sockaddr_storage *address,
                            socklen_t *len)
{
    int fd = bound(family, SOCK_STREAM, address, len);

    if (fd >= 0 && listen(fd, backlog)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A connection: fds[0] connected, fds[1] accepted. */
static inline bool connection(int family, int fds[2])
{
    struct sockaddr_storage address;
    socklen_t len;
    int listener = listening(family, 1, &address, &len);

    fds[0] = socket(family, SOCK_STREAM, 0);
    fds[1] = -1;
    if (listener >= 0 && fds[0] >= 0 && connect(fds[0], (struct sockaddr *)&address, len) == 0)
        fds[1] = accept(listener, NULL, NULL);
    close(listener);
    return CHECK(fds[1] >= 0);
}

/* A byte of a stream that is different everywhere. */
static inline unsigned char stream_byte(size_t at)
{
    return (unsigned char)(at * 2654435761u >> 13);
}
