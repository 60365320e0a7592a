/* SPDX-License-Identifier: MIT
 *
 * What getaddrinfo() makes of names: `resolve SECONDS NAME...`, a line for each, after so many
 * seconds.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void resolve(const char *name)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
    int rc = getaddrinfo(name, "80", &hints, &found);
    char text[INET6_ADDRSTRLEN];

    printf("resolve: %s", name);
    if (rc) {
        printf(": %s\n", gai_strerror(rc));
        return;
    }
    for (struct addrinfo *it = found; it; it = it->ai_next) {
        const void *address = it->ai_family == AF_INET6
                                  ? (void *)&((struct sockaddr_in6 *)it->ai_addr)->sin6_addr
                                  : (void *)&((struct sockaddr_in *)it->ai_addr)->sin_addr;

        printf(" %s", inet_ntop(it->ai_family, address, text, sizeof(text)));
    }
    printf("\n");
    freeaddrinfo(found);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: resolve SECONDS NAME...\n");
        return 1;
    }
    sleep((unsigned int)atoi(argv[1]));
    for (int i = 2; i < argc; i++)
        resolve(argv[i]);
    return 0;
}
