/* SPDX-License-Identifier: MIT
 *
 * Streams of bytes that are checked by their CRC-32 (of zlib, as dom0's `crc32` has it).
 *
 *     netsum                  to port 5010: what comes is summed, and the answer is "CRC BYTES\n";
 *                             to port 5011: the answer to "BYTES\n" are so many random bytes
 *     netsum ADDRESS MIB...   to another one, and back, in a stream for each MIB; ends when done
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "netsum.h"

enum { PORT_SINK = 5010, PORT_SOURCE = 5011 };

static void *sink(void *arg)
{
    int fd = (int)(long)arg;
    struct sum sum = { 0, 0 };
    char line[64];

    if (sum_receive(fd, &sum, UINT64_MAX) == 0) {
        int len = snprintf(line, sizeof(line), "%08x %llu\n", sum.crc, sum.bytes);

        (void)send(fd, line, (size_t)len, MSG_NOSIGNAL);
        printf("netsum: received %llu bytes, %08x\n", sum.bytes, sum.crc);
    } else {
        printf("netsum: broken after %llu bytes received\n", sum.bytes);
    }
    close(fd);
    return NULL;
}

static void *source(void *arg)
{
    int fd = (int)(long)arg;
    struct sum sum = { 0, 0 };
    char line[32] = "";

    for (size_t len = 0; len < sizeof(line) - 1 && !strchr(line, '\n');) {
        ssize_t rc = recv(fd, line + len, sizeof(line) - 1 - len, 0);

        if (rc <= 0)
            break;
        len += (size_t)rc;
    }
    if (sum_send(fd, &sum, strtoull(line, NULL, 10)) == 0)
        printf("netsum: sent %llu bytes, %08x\n", sum.bytes, sum.crc);
    else
        printf("netsum: broken after %llu bytes sent\n", sum.bytes);
    close(fd);
    return NULL;
}

static void fatal(const char *what)
{
    perror(what);
    exit(1);
}

static void *serve(void *port)
{
    struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)(long)port) };
    int listener = socket(AF_INET6, SOCK_STREAM, 0);
    pthread_t thread;

    if (listener < 0 || bind(listener, (struct sockaddr *)&any, sizeof(any)) ||
        listen(listener, SOMAXCONN))
        fatal("netsum: listen");
    printf("netsum: listening on port %ld\n", (long)port);
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0)
            fatal("netsum: accept");
        if (pthread_create(&thread, NULL, (long)port == PORT_SINK ? sink : source,
                           (void *)(long)fd))
            close(fd);
        else
            pthread_detach(thread);
    }
    return NULL;
}

/* Tried for a while: our interface, or the other one, may still be on its way. */
static int connect_to(const char *address, int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

    inet_pton(AF_INET, address, &to.sin_addr);
    for (int tries = 0; tries < 20; tries++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
            return fd;
        close(fd);
        sleep(1);
    }
    fatal(address);
    return -1;
}

static const char *peer;

static void *client(void *arg)
{
    uint64_t bytes = strtoull(arg, NULL, 10) << 20;
    struct sum out = { 0, 0 }, in = { 0, 0 };
    char line[64] = "", want[64];
    int fd = connect_to(peer, PORT_SINK);

    if (sum_send(fd, &out, bytes) || shutdown(fd, SHUT_WR) ||
        recv(fd, line, sizeof(line) - 1, MSG_WAITALL) < 0)
        fatal("netsum: sending");
    close(fd);
    snprintf(want, sizeof(want), "%08x %llu\n", out.crc, out.bytes);
    if (strcmp(line, want) != 0) {
        printf("netsum: sent %s, the other end has %s\n", want, line);
        exit(1);
    }
    fd = connect_to(peer, PORT_SOURCE);
    snprintf(line, sizeof(line), "%llu\n", (unsigned long long)bytes);
    if (send(fd, line, strlen(line), 0) < 0 || sum_receive(fd, &in, bytes))
        fatal("netsum: receiving");
    close(fd);
    /* The sequence is the same for everybody. */
    printf("netsum: %s bytes there and back, %08x: %s\n", (char *)arg, in.crc,
           in.crc == out.crc && in.bytes == out.bytes ? "as sent" : "not as sent");
    if (in.crc != out.crc || in.bytes != out.bytes)
        exit(1);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[16];
    int count = argc - 2;

    if (argc == 2 || count > 16) {
        fprintf(stderr, "usage: netsum [ADDRESS MIB...]\n");
        return 1;
    }
    if (argc == 1) {
        pthread_create(&threads[0], NULL, serve, (void *)PORT_SOURCE);
        serve((void *)PORT_SINK);
    }
    peer = argv[1];
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, client, argv[2 + i]))
            fatal("netsum: pthread_create");
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
