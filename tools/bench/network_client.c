/* SPDX-License-Identifier: MIT
 *
 * dom0's end of the network benchmark: it orders, network.c in the domain obeys.  For each
 * measurement a line `bench NAME ELAPSED OWN`: ns for each of what is counted (a MiB, a round trip,
 * a datagram), by dom0's clock, and of the domain's own time.
 *
 *     network_client ADDRESS
 *
 * It runs in dom0, statically linked; no part of any guest.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "network.h"

#define MIB        (1024 * 1024)
#define PATIENCE_S 30
#ifndef STREAM_LEN
#define STREAM_LEN  (64ull * MIB)
#define DATAGRAMS   8192
#define ROUND_TRIPS 1000
#endif

static char buffer[NETWORK_BUFFER];
static struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = 0 };

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void must(int ok, const char *what)
{
    if (ok)
        return;
    printf("network_client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void read_all(int fd, void *to, size_t len)
{
    ssize_t n;

    for (size_t done = 0; done < len; done += (size_t)n) {
        n = read(fd, (char *)to + done, len - done);
        must(n > 0, "read");
    }
}

static void write_all(int fd, const void *from, size_t len)
{
    ssize_t n;

    for (size_t done = 0; done < len; done += (size_t)n) {
        n = write(fd, (const char *)from + done, len - done);
        must(n > 0, "write");
    }
}

static void be_patient(int fd)
{
    struct timeval patience = { .tv_sec = PATIENCE_S };

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

static int open_socket(int type, int protocol)
{
    int fd = socket(AF_INET, type, protocol), size = 1 << 20;

    must(fd >= 0, "socket");
    be_patient(fd);
    if (type == SOCK_DGRAM)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    must(connect(fd, (struct sockaddr *)&peer, sizeof(peer)) == 0, "connect");
    return fd;
}

/* --- what is done between the order and the result --- */

static void tcp_in(int fd, uint64_t count)
{
    for (; count; count -= sizeof(buffer))
        write_all(fd, buffer, sizeof(buffer));
}

static void tcp_out(int fd, uint64_t count)
{
    while (count) {
        ssize_t n = read(fd, buffer, count < sizeof(buffer) ? count : sizeof(buffer));

        must(n > 0, "read");
        count -= (uint64_t)n;
    }
}

static void tcp_echo(int fd, uint64_t count)
{
    while (count--) {
        write_all(fd, buffer, 1);
        read_all(fd, buffer, 1);
    }
}

static void udp_in(int fd, uint64_t count)
{
    int udp = open_socket(SOCK_DGRAM, 0);
    uint64_t seen = 0;

    (void)fd;
    must(send(udp, buffer, 1, 0) == 1, "hello");
    for (uint64_t i = 0; i < count; i++) {
        while (i - seen >= DATAGRAM_WINDOW)
            must(recv(udp, &seen, sizeof(seen), 0) > 0, "answer to datagrams");
        must(send(udp, buffer, DATAGRAM_LEN, 0) > 0, "send");
    }
    close(udp);
}

static void udp_out(int fd, uint64_t count)
{
    int udp = open_socket(SOCK_DGRAM, 0);

    (void)fd;
    must(send(udp, buffer, 1, 0) == 1, "hello");
    for (uint64_t i = 1; i <= count; i++) {
        must(recv(udp, buffer, sizeof(buffer), 0) > 0, "datagram");
        if (i % DATAGRAM_BURST == 0)
            must(send(udp, &i, sizeof(i), 0) > 0, "send");
    }
    close(udp);
}

static uint16_t checksum(const void *data, size_t len)
{
    const uint16_t *word = data;
    uint32_t sum = 0;

    for (; len; len -= 2)
        sum += *word++;
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t) ~(sum + (sum >> 16));
}

/* Echo requests of ping's size. */
static void ping(int fd, uint64_t count)
{
    int raw = open_socket(SOCK_RAW, IPPROTO_ICMP);

    for (uint64_t i = 1; i <= count; i++) {
        struct {
            struct icmphdr head;
            char data[56];
        } packet = { .head = { .type = ICMP_ECHO } };
        const struct icmphdr *answer = (const void *)(buffer + sizeof(struct iphdr));

        packet.head.un.echo.sequence = htons((uint16_t)i);
        packet.head.checksum = checksum(&packet, sizeof(packet));
        must(send(raw, &packet, sizeof(packet), 0) > 0, "send");
        do
            must(recv(raw, buffer, sizeof(buffer), 0) > 0, "echo reply");
        while (answer->type != ICMP_ECHOREPLY ||
               answer->un.echo.sequence != packet.head.un.echo.sequence);
    }
    close(raw);
    write_all(fd, "", 1);
}

static const struct {
    const char *name;
    uint64_t what, count, per; /* the result is for each `per` of `count` */
    void (*run)(int fd, uint64_t count);
} measurements[] = {
    { "net_ping", NETWORK_WAIT, ROUND_TRIPS, 1, ping },
    { "net_request", NETWORK_ECHO, ROUND_TRIPS, 1, tcp_echo },
    { "net_tcp_in", NETWORK_RECEIVE, STREAM_LEN, MIB, tcp_in },
    { "net_tcp_out", NETWORK_SEND, STREAM_LEN, MIB, tcp_out },
    { "net_udp_in", NETWORK_UDP_RECEIVE, DATAGRAMS, 1, udp_in },
    { "net_udp_out", NETWORK_UDP_SEND, DATAGRAMS, 1, udp_out },
};

static void measure(const char *name, uint64_t what, uint64_t count, uint64_t per,
                    void (*run)(int fd, uint64_t count))
{
    struct network_order order = { what, count };
    struct network_result result;
    int fd = open_socket(SOCK_STREAM, 0), on = 1;
    uint64_t begin_ns, end_ns;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    write_all(fd, &order, sizeof(order));
    read_all(fd, &result, sizeof(result));
    begin_ns = now_ns();
    run(fd, count);
    read_all(fd, &result, sizeof(result));
    end_ns = now_ns();
    close(fd);
    errno = (int)result.error;
    must(errno == 0, name);
    printf("bench %s %.1f %.1f\n", name, (double)(end_ns - begin_ns) * (double)per / (double)count,
           (double)result.own_ns * (double)per / (double)count);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc < 2 || !inet_aton(argv[1], &peer.sin_addr)) {
        fprintf(stderr, "usage: network_client ADDRESS [MEASUREMENT]\n");
        return 2;
    }
    peer.sin_port = htons(NETWORK_PORT);
    for (size_t i = 0; i < sizeof(measurements) / sizeof(measurements[0]); i++)
        if (argc == 2 || strcmp(argv[2], measurements[i].name) == 0)
            measure(measurements[i].name, measurements[i].what, measurements[i].count,
                    measurements[i].per, measurements[i].run);
    return 0;
}
