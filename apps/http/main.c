/* SPDX-License-Identifier: MIT
 *
 * A web server that shows the domain it is: `http [PORT]` (80).  / is a page with live figures,
 * /stats.json the figures, /bytes/N as many bytes.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "http.h"

/* For IPv6 and, as mapped addresses, IPv4. */
static int listen_on(uint16_t port)
{
    struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, SOMAXCONN))
        return -1;
    return fd;
}

int main(int argc, char **argv)
{
    char *end = "";
    long port = argc > 1 ? strtol(argv[1], &end, 10) : 80;
    int listener;

    if (argc > 2 || *end || port < 1 || port > 65535) {
        fprintf(stderr, "usage: http [PORT]\n");
        return 2;
    }
    listener = listen_on((uint16_t)port);
    if (listener < 0) {
        perror("http: listen");
        return 1;
    }
    printf("http: listening on port %ld\n", port);
    serve(listener);
    fprintf(stderr, "http: no memory\n");
    return 1;
}
