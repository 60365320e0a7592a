/* SPDX-License-Identifier: MIT
 *
 * The domain's end of the network benchmark: one POSIX program, compiled unchanged for Xenolith and
 * for a Linux domU.  It does what dom0's end (network_client.c) orders, by blocking calls of one
 * thread, and says how much of the domain's own time that took.  network.h has the protocol.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "network.h"
#include "threads.h"

static char buffer[NETWORK_BUFFER];

static int read_all(int fd, void *to, size_t len)
{
    ssize_t n = 0;

    for (size_t done = 0; done < len; done += (size_t)n) {
        n = read(fd, (char *)to + done, len - done);
        if (n <= 0)
            return n ? errno : EPIPE;
    }
    return 0;
}

static int write_all(int fd, const void *from, size_t len)
{
    ssize_t n = 0;

    for (size_t done = 0; done < len; done += (size_t)n) {
        n = write(fd, (const char *)from + done, len - done);
        if (n <= 0)
            return errno;
    }
    return 0;
}

static int receive(int fd, uint64_t count)
{
    while (count) {
        ssize_t n = read(fd, buffer, sizeof(buffer));

        if (n <= 0 || (uint64_t)n > count)
            return n < 0 ? errno : EPIPE;
        count -= (uint64_t)n;
    }
    return 0;
}

static int send_bytes(int fd, uint64_t count)
{
    while (count) {
        size_t len = count < sizeof(buffer) ? count : sizeof(buffer);
        int error = write_all(fd, buffer, len);

        if (error)
            return error;
        count -= len;
    }
    return 0;
}

static int echo(int fd, uint64_t count)
{
    int error = 0;

    while (count-- && !error) {
        error = read_all(fd, buffer, 1);
        if (!error)
            error = write_all(fd, buffer, 1);
    }
    return error;
}

/* Connect to who said hello. */
static int await_hello(int udp)
{
    struct sockaddr_in peer;
    socklen_t len = sizeof(peer);

    if (recvfrom(udp, buffer, sizeof(buffer), 0, (struct sockaddr *)&peer, &len) < 0 ||
        connect(udp, (struct sockaddr *)&peer, len))
        return errno;
    return 0;
}

/* Each burst is answered, so that nothing need be dropped. */
static int udp_receive(int udp, uint64_t count)
{
    for (uint64_t i = 1; i <= count; i++) {
        if (recv(udp, buffer, sizeof(buffer), 0) < 0 ||
            (i % DATAGRAM_BURST == 0 && send(udp, &i, sizeof(i), 0) < 0))
            return errno;
    }
    return 0;
}

static int udp_send(int udp, uint64_t count)
{
    uint64_t seen = 0;

    for (uint64_t i = 0; i < count; i++) {
        while (i - seen >= DATAGRAM_WINDOW)
            if (recv(udp, &seen, sizeof(seen), 0) < 0)
                return errno;
        if (send(udp, buffer, DATAGRAM_LEN, 0) < 0)
            return errno;
    }
    return 0;
}

/* A socket at NETWORK_PORT for one measurement. Negative, with errno, if there is none. */
static int udp_open(void)
{
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(NETWORK_PORT) };
    struct timeval patience = { .tv_sec = 5 };
    int udp = socket(AF_INET, SOCK_DGRAM, 0), size = 1 << 20;

    if (udp < 0)
        return -1;
    setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    setsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (bind(udp, (struct sockaddr *)&own, sizeof(own)) == 0)
        return udp;
    close(udp);
    return -1;
}

static int obey(int fd, int udp, const struct network_order *order)
{
    int error = 0;

    switch (order->what) {
    case NETWORK_RECEIVE:
        return receive(fd, order->count);
    case NETWORK_SEND:
        return send_bytes(fd, order->count);
    case NETWORK_ECHO:
        return echo(fd, order->count);
    case NETWORK_UDP_RECEIVE:
        error = await_hello(udp);
        return error ? error : udp_receive(udp, order->count);
    case NETWORK_UDP_SEND:
        error = await_hello(udp);
        return error ? error : udp_send(udp, order->count);
    case NETWORK_WAIT:
        return read_all(fd, buffer, 1);
    }
    return EINVAL;
}

static void serve(int fd)
{
    struct network_result ready = { 0 }, result = { 0 };
    struct network_order order;
    int on = 1, udp;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (read_all(fd, &order, sizeof(order)))
        return;
    udp = udp_open();
    ready.error = udp < 0 ? (uint64_t)errno : 0;
    result.own_ns = system_own_ns();
    if (write_all(fd, &ready, sizeof(ready)) == 0 && udp >= 0) {
        result.error = (uint64_t)obey(fd, udp, &order);
        result.own_ns = system_own_ns() - result.own_ns;
        write_all(fd, &result, sizeof(result));
    }
    if (udp >= 0)
        close(udp);
}

int main(void)
{
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(NETWORK_PORT) };
    int listener, on = 1;

    system_begin();
    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (listener < 0 || bind(listener, (struct sockaddr *)&own, sizeof(own)) ||
        listen(listener, 5)) {
        printf("network: %s\n", strerror(errno));
        system_end();
        return 1;
    }
    printf("network: listening on port %d\n", NETWORK_PORT);
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0)
            continue;
        serve(fd);
        close(fd);
    }
}
