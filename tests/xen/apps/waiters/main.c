/* SPDX-License-Identifier: MIT
 *
 * Threads that wait in every call of a socket that may wait, for what never comes.
 *
 *     waiters idle SECONDS     says how long the domain's vCPUs ran meanwhile
 *     waiters stay             until the domain is shut down
 *     waiters cancel           each is cancelled and joined
 *     waiters signal           each gets a signal and comes out of its call
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int listener, pair[2], datagrams, full[2];

static int wait_accept(void)
{
    return accept(listener, NULL, NULL);
}

static int wait_recv(void)
{
    char byte;

    return (int)recv(pair[0], &byte, 1, 0);
}

static int wait_recvfrom(void)
{
    char byte;

    return (int)recvfrom(datagrams, &byte, 1, 0, NULL, NULL);
}

static int wait_send(void)
{
    static char bytes[1 << 16];
    int rc;

    while ((rc = (int)send(full[0], bytes, sizeof(bytes), 0)) > 0)
        ;
    return rc;
}

static int wait_poll(void)
{
    struct pollfd fds[] = { { .fd = listener, .events = POLLIN },
                            { .fd = datagrams, .events = POLLIN } };

    return poll(fds, 2, -1);
}

static int wait_select(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(pair[0], &set);
    return select(pair[0] + 1, &set, NULL, NULL, NULL);
}

static int wait_epoll(void)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = datagrams };
    int epoll = epoll_create1(0);

    epoll_ctl(epoll, EPOLL_CTL_ADD, datagrams, &event);
    return epoll_wait(epoll, &event, 1, -1);
}

/* Nobody has that address, and ARP is not answered. */
static int wait_connect(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(9),
                              .sin_addr.s_addr = htonl(0x0a0002fa) };

    return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof(to));
}

/* The server of -ip=...,dns= is nobody either. */
static int wait_getaddrinfo(void)
{
    struct addrinfo *list;

    return getaddrinfo("name.example", "80", NULL, &list) == EAI_SYSTEM ? -1 : 0;
}

static const struct {
    const char *name;
    int (*wait)(void);
    int quiet; /* nothing is sent meanwhile */
} waits[] = {
    { "accept", wait_accept, 1 },
    { "recv", wait_recv, 1 },
    { "recvfrom", wait_recvfrom, 1 },
    { "send", wait_send, 0 },
    { "poll", wait_poll, 1 },
    { "select", wait_select, 1 },
    { "epoll_wait", wait_epoll, 1 },
    { "connect", wait_connect, 0 },
    { "getaddrinfo", wait_getaddrinfo, 0 },
};
#define WAITS (int)(sizeof(waits) / sizeof(waits[0]))

static pthread_t threads[WAITS];

static void *wait_in(void *arg)
{
    int n = (int)(long)arg, rc = waits[n].wait();

    printf("%s: %d %s\n", waits[n].name, rc, rc < 0 ? strerror(errno) : "");
    return (void *)(long)(rc < 0 && errno == EINTR);
}

/* Else connect() and getaddrinfo() have nothing to wait for. */
static void await_address(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(9),
                              .sin_addr.s_addr = htonl(0x0a0002fa) };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    for (int i = 0; i < 100 && sendto(fd, "", 0, 0, (struct sockaddr *)&to, sizeof(to)) < 0; i++)
        usleep(100000);
    close(fd);
}

static void begin(int all)
{
    struct sockaddr_in any = { .sin_family = AF_INET };

    await_address();
    listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&any, sizeof(any));
    listen(listener, 5);
    datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    bind(datagrams, (struct sockaddr *)&any, sizeof(any));
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || socketpair(AF_UNIX, SOCK_STREAM, 0, full))
        perror("socketpair");
    for (int i = 0; i < WAITS; i++)
        if ((all || waits[i].quiet) && pthread_create(&threads[i], NULL, wait_in, (void *)(long)i))
            perror("pthread_create");
    sleep(1);
    printf("waiting\n");
}

static double cpu_seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void idle(unsigned int seconds)
{
    double before;

    begin(0);
    sleep(20); /* what the interface's start left to do */
    before = cpu_seconds();
    sleep(seconds);
    printf("idle: %.0f us in %u s\n", (cpu_seconds() - before) * 1e6, seconds);
}

static void ignore(int signal)
{
    (void)signal;
}

static void end(int signal)
{
    int ended = 0;

    for (int i = 0; i < WAITS; i++) {
        void *result;

        if (signal)
            pthread_kill(threads[i], signal);
        else
            pthread_cancel(threads[i]);
        pthread_join(threads[i], &result);
        if (signal ? result == (void *)1 : result == PTHREAD_CANCELED)
            ended++;
        else
            printf("%s: ended otherwise\n", waits[i].name);
    }
    printf("ended: %d of %d\n", ended, WAITS);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "stay";

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(what, "idle") == 0) {
        idle(argc > 2 ? (unsigned int)atoi(argv[2]) : 60);
        return 0;
    }
    if (strcmp(what, "signal") == 0)
        sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = ignore }, NULL);
    begin(1);
    if (strcmp(what, "cancel") == 0 || strcmp(what, "signal") == 0) {
        end(what[0] == 's' ? SIGUSR1 : 0);
        return 0;
    }
    for (;;)
        pause();
}
