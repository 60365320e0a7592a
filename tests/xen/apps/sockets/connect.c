/* SPDX-License-Identifier: MIT
 *
 * How connections begin and end.
 */
#include <sys/ioctl.h>
#include "sockets.h"

static void echo_once(int family)
{
    int fds[2];
    char text[16];

    if (!connection(family, fds))
        return;
    CHECK_EQ(send(fds[0], "hello", 5, 0), 5);
    CHECK_EQ(recv(fds[1], text, sizeof(text), 0), 5);
    CHECK_EQ(memcmp(text, "hello", 5), 0);
    CHECK_EQ(write(fds[1], "world!", 6), 6);
    CHECK_EQ(read(fds[0], text, sizeof(text)), 6);
    CHECK_EQ(shutdown(fds[0], SHUT_WR), 0);
    CHECK_EQ(read(fds[1], text, sizeof(text)), 0);
    CHECK_EQ(send(fds[1], "still", 5, 0), 5);
    CHECK_EQ(read(fds[0], text, sizeof(text)), 5);
    CHECK_FAILS(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(close(fds[1]), 0);
    CHECK_EQ(read(fds[0], text, sizeof(text)), 0);
    CHECK_EQ(close(fds[0]), 0);
}

TEST(tcp_v4_both_ways_and_half_closed)
{
    echo_once(AF_INET);
}

TEST(tcp_v6_both_ways_and_half_closed)
{
    echo_once(AF_INET6);
}

TEST(tcp_names_of_both_ends)
{
    struct sockaddr_in own, peer, far_own, far_peer;
    socklen_t len = sizeof(own);
    int fds[2];

    if (!connection(AF_INET, fds))
        return;
    CHECK_EQ(getsockname(fds[0], (struct sockaddr *)&own, &len), 0);
    CHECK_EQ(len, sizeof(own));
    CHECK_EQ(getpeername(fds[0], (struct sockaddr *)&peer, &len), 0);
    CHECK_EQ(getsockname(fds[1], (struct sockaddr *)&far_own, &len), 0);
    CHECK_EQ(getpeername(fds[1], (struct sockaddr *)&far_peer, &len), 0);
    CHECK_EQ(own.sin_port, far_peer.sin_port);
    CHECK_EQ(peer.sin_port, far_own.sin_port);
    CHECK_EQ(own.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_EQ(own.sin_family, AF_INET);
    close(fds[0]);
    close(fds[1]);
}

TEST(tcp_refused_and_wrong_uses)
{
    struct sockaddr_storage address;
    socklen_t len;
    int fd = bound(AF_INET, SOCK_STREAM, &address, &len), other, fds[2];
    char byte;

    REQUIRE(fd >= 0);
    other = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_FAILS(bind(other, (struct sockaddr *)&address, len), EADDRINUSE);
    CHECK_EQ(close(fd), 0); /* nobody is there now */
    CHECK_FAILS(connect(other, (struct sockaddr *)&address, len), ECONNREFUSED);
    CHECK_FAILS(send(other, "x", 1, 0), ENOTCONN);
    CHECK_FAILS(recv(other, &byte, 1, 0), ENOTCONN);
    CHECK_FAILS(accept(other, NULL, NULL), EINVAL);
    CHECK_FAILS(getpeername(other, (struct sockaddr *)&address, &len), ENOTCONN);
    CHECK_FAILS(shutdown(other, SHUT_RDWR), ENOTCONN);
    CHECK_FAILS(shutdown(other, 7), EINVAL);
    CHECK_EQ(close(other), 0);
    CHECK_FAILS(send(other, "x", 1, 0), EBADF);
    CHECK_FAILS(send(1, "x", 1, 0), ENOTSOCK);
    CHECK_FAILS(socket(AF_UNIX, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_FAILS(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    if (connection(AF_INET, fds)) {
        CHECK_FAILS(connect(fds[0], (struct sockaddr *)&address, len), EISCONN);
        close(fds[0]);
        close(fds[1]);
    }
}

TEST(tcp_connect_without_waiting)
{
    struct sockaddr_storage address;
    socklen_t len, error_len = sizeof(int);
    int listener = listening(AF_INET, 1, &address, &len), error = -1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), rc;
    struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

    REQUIRE(listener >= 0 && fd >= 0);
    rc = connect(fd, (struct sockaddr *)&address, len);
    CHECK(rc == 0 || errno == EINPROGRESS);
    CHECK_EQ(poll(&poll_fd, 1, 5000), 1);
    CHECK_EQ(poll_fd.revents, POLLOUT);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len), 0);
    CHECK_EQ(error, 0);
    close(fd);
    close(listener);
    /* And to where nobody is. */
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    poll_fd.fd = fd;
    rc = connect(fd, (struct sockaddr *)&address, len);
    CHECK(rc == -1 && (errno == EINPROGRESS || errno == ECONNREFUSED));
    if (errno == EINPROGRESS) {
        CHECK_EQ(poll(&poll_fd, 1, 5000), 1);
        CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len), 0);
        CHECK_EQ(error, ECONNREFUSED);
    }
    close(fd);
}

TEST(tcp_reset_when_unread_or_lingering_for_nothing)
{
    const struct linger nothing = { 1, 0 };
    int fds[2];
    char text[8];

    if (!connection(AF_INET, fds))
        return;
    CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &nothing, sizeof(nothing)), 0);
    close(fds[0]);
    CHECK_FAILS(read(fds[1], text, sizeof(text)), ECONNRESET);
    CHECK_EQ(read(fds[1], text, sizeof(text)), 0); /* it was told once */
    CHECK_FAILS(send(fds[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    close(fds[1]);
    if (!connection(AF_INET, fds))
        return;
    CHECK_EQ(write(fds[1], "unread", 6), 6);
    close(fds[0]);
    CHECK_FAILS(read(fds[1], text, sizeof(text)), ECONNRESET);
    close(fds[1]);
}

TEST(tcp_listener_goes_with_its_connections)
{
    struct sockaddr_storage address;
    socklen_t len;
    int listener = listening(AF_INET, 5, &address, &len), fd = socket(AF_INET, SOCK_STREAM, 0);
    char byte;

    REQUIRE(listener >= 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&address, len), 0);
    close(listener);
    CHECK_FAILS(read(fd, &byte, 1), ECONNRESET);
    close(fd);
    /* The port is free again. */
    fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&address, len), 0);
    CHECK_EQ(listen(fd, 1), 0);
    close(fd);
}

TEST(tcp_v4_client_of_a_v6_listener)
{
    struct sockaddr_in6 any = { .sin6_family = AF_INET6 }, peer;
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(any);
    int listener = socket(AF_INET6, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0), got;

    CHECK_EQ(bind(listener, (struct sockaddr *)&any, len), 0);
    CHECK_EQ(listen(listener, 1), 0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&any, &len), 0);
    to.sin_port = any.sin6_port;
    CHECK_EQ(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    got = accept(listener, (struct sockaddr *)&peer, &len);
    REQUIRE(got >= 0);
    CHECK_EQ(peer.sin6_family, AF_INET6);
    CHECK(IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
    close(got);
    close(fd);
    close(listener);
}

TEST(tcp_socketpair)
{
    int fds[2];
    char text[4];

    REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CHECK_EQ(write(fds[0], "abc", 3), 3);
    CHECK_EQ(read(fds[1], text, 4), 3);
    close(fds[0]);
    CHECK_EQ(read(fds[1], text, 4), 0);
    close(fds[1]);
}

static int signals;

static void count_signal(int signal)
{
    (void)signal;
    signals++;
}

TEST(tcp_broken_pipe_raises_a_signal)
{
    int fds[2];

    signal(SIGPIPE, count_signal);
    signals = 0;
    if (!connection(AF_INET, fds))
        return;
    CHECK_EQ(shutdown(fds[0], SHUT_WR), 0);
    CHECK_FAILS(write(fds[0], "x", 1), EPIPE);
    CHECK_EQ(signals, 1);
    CHECK_FAILS(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(signals, 1);
    signal(SIGPIPE, SIG_IGN);
    close(fds[0]);
    close(fds[1]);
}
