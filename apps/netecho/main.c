/* SPDX-License-Identifier: MIT
 *
 * Says back what it hears, on TCP and UDP, IPv4 and IPv6: `netecho [PORT]` (7).  What comes to the
 * port two above is dropped, and how much it was is printed.  A thread for each connection; one for
 * the datagrams.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_port(int type, int port)
{
    struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    int fd = socket(AF_INET6, type, 0), on = 1;

    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) ||
        (type == SOCK_STREAM && listen(fd, SOMAXCONN))) {
        perror("netecho");
        exit(1);
    }
    return fd;
}

static void *echo_datagrams(void *arg)
{
    int fd = (int)(long)arg;
    struct sockaddr_in6 from;
    static char bytes[65536];

    for (;;) {
        socklen_t from_len = sizeof(from);
        ssize_t len = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_len);

        if (len >= 0)
            sendto(fd, bytes, (size_t)len, 0, (struct sockaddr *)&from, from_len);
    }
    return NULL;
}

static void *echo_connection(void *arg)
{
    const size_t size = 65536;
    int fd = (int)(long)arg;
    char *bytes = malloc(size);
    ssize_t len;

    while (bytes && (len = recv(fd, bytes, size, 0)) > 0) {
        for (ssize_t done = 0, rc; done < len; done += rc) {
            rc = send(fd, bytes + done, (size_t)(len - done), MSG_NOSIGNAL);
            if (rc <= 0) {
                len = 0;
                break;
            }
        }
        if (len == 0)
            break;
    }
    free(bytes);
    close(fd);
    return NULL;
}

static void *drop_connection(void *arg)
{
    const size_t size = 256 * 1024;
    unsigned long long total = 0;
    int fd = (int)(long)arg;
    char *bytes = malloc(size);
    ssize_t len = -1;

    while (bytes && (len = recv(fd, bytes, size, 0)) > 0)
        total += (unsigned long long)len;
    printf("netecho: dropped %llu bytes%s\n", total, len < 0 ? ", the connection broke" : "");
    free(bytes);
    close(fd);
    return NULL;
}

/* A thread for each connection of a listening socket, for ever. */
static void accept_all(int listener, void *(*fn)(void *arg))
{
    pthread_t thread;

    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0) {
            perror("netecho: accept");
            sleep(1);
        } else if (pthread_create(&thread, NULL, fn, (void *)(long)fd)) {
            close(fd);
        } else {
            pthread_detach(thread);
        }
    }
}

static void *drop_all(void *listener)
{
    accept_all((int)(long)listener, drop_connection);
    return NULL;
}

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 7;
    int listener = open_port(SOCK_STREAM, port), datagrams = open_port(SOCK_DGRAM, port);
    pthread_t thread;

    pthread_create(&thread, NULL, drop_all, (void *)(long)open_port(SOCK_STREAM, port + 2));
    pthread_create(&thread, NULL, echo_datagrams, (void *)(long)datagrams);
    printf("netecho: listening on port %d\n", port);
    accept_all(listener, echo_connection);
    return 1;
}
