/* SPDX-License-Identifier: MIT
 *
 * A web server that shows the domain it is: `http [PORT]` (80).  / is a page with live figures,
 * /stats.json the figures, /bytes/N as many bytes.  A worker thread for each vCPU.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "http.h"
#include "lib/vcpu_set.h"
#include "lib/percpu.h"

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 80;
    struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    int listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    pthread_t thread;

    for (size_t i = 0; i < PATTERN_SIZE; i++)
        pattern[i] = (char)(' ' + i % 95);
    if (listener >= 0)
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (listener < 0 || bind(listener, (struct sockaddr *)&any, sizeof(any)) ||
        listen(listener, SOMAXCONN)) {
        perror("http");
        return 1;
    }
    printf("http: listening on port %d\n", port);
    for (unsigned int i = 1; i < vcpu_set_count(&vcpus_online); i++)
        if (pthread_create(&thread, NULL, serve, (void *)(long)listener) == 0)
            pthread_detach(thread);
    serve((void *)(long)listener);
    return 1;
}
