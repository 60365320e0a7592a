/* SPDX-License-Identifier: MIT */
/*
 * How long a paused domain takes from unpause to a line on its console, or to the first answer of
 * its web server, in dom0's clock and in the domain's own CPU time. It is compiled on the
 * developer's machine (statically, against libxen-dev of the bed's Xen) and runs in dom0.
 *
 * It waits for xenconsoled's log to grow instead of polling the console ring: the domain's event
 * wakes xenconsoled, its write wakes us, and with one physical CPU (the counted clock) the domain
 * does not run in between. So the CPU time read is that of the notification, and nothing disturbs
 * the domain before. Credit2 must play its part: see start().
 *
 * Not part of any guest. ABI: Xen public/domctl.h (XEN_DOMCTL_getdomaininfo), by libxenctrl.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <xenctrl.h>

#define LOG_MAX   (1 << 20)
#define SETTLE_US 500000
#define TRY_US    20000

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* The domain's CPU time in ns. -1: there is no such domain (any more). */
static int cpu_time(xc_interface *xch, uint32_t domid, uint64_t *ns)
{
    xc_domaininfo_t info;

    if (xc_domain_getinfolist(xch, domid, 1, &info) != 1 || info.domain != domid)
        return -1;
    *ns = info.cpu_time;
    return 0;
}

static int set_ratelimit(xc_interface *xch, unsigned int us)
{
    struct xen_sysctl_credit2_schedule params = { .ratelimit_us = us };

    return xc_sched_credit2_params_set(xch, 0, &params);
}

static int set_weight(xc_interface *xch, uint32_t domid, unsigned int weight)
{
    struct xen_domctl_sched_credit2 params = { .weight = weight };

    return xc_sched_credit2_domain_set(xch, domid, &params);
}

/*
 * Let the domain go. The long rate limit keeps it from taking the CPU before we sleep: otherwise it
 * would run through our unpause, and its events would find dom0 awake already and not wake it. With
 * no limit and these weights from then on, dom0 gets the CPU the moment the domain notifies it.
 */
static int start(xc_interface *xch, uint32_t domid)
{
    if (set_weight(xch, domid, 1) || set_weight(xch, 0, 65535) || set_ratelimit(xch, 10000))
        return -1;
    usleep(SETTLE_US); /* the toolstack comes to rest; the rate limit counts from here */
    return xc_domain_unpause(xch, domid) || set_ratelimit(xch, 0);
}

/* Read what has been added to the log. 1: the marker is in it. */
static int log_has(int log, const char *marker)
{
    static char text[LOG_MAX];
    static size_t len;
    ssize_t n;

    while (len < LOG_MAX && (n = read(log, text + len, LOG_MAX - len)) > 0)
        len += n;
    return memmem(text, len, marker, strlen(marker)) != NULL;
}

/* What is waited for: the marker in the log, or an answer from port 80 of the address. */
static struct pollfd wait;
static int log_file = -1;
static const char *marker;
static struct sockaddr_in server = { .sin_family = AF_INET };

static int open_wait(const char *where)
{
    if (inet_aton(where, &server.sin_addr)) {
        server.sin_port = htons(80);
        return 0;
    }
    log_file = open(where, O_RDONLY);
    wait.fd = inotify_init1(IN_NONBLOCK);
    wait.events = POLLIN;
    return log_file < 0 || inotify_add_watch(wait.fd, where, IN_MODIFY) < 0;
}

static int log_grows(void)
{
    char events[4096];

    poll(&wait, 1, 100);
    while (read(wait.fd, events, sizeof(events)) > 0)
        ;
    return log_has(log_file, marker);
}

/* One attempt, by a connection of its own: its packets are lost until there is a domain to take
 * them. */
static int answers(void)
{
    struct timeval patience = { .tv_usec = TRY_US };
    char request[64], answer[64];
    int fd = socket(AF_INET, SOCK_STREAM, 0), len, found;

    len = snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", marker);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)); /* of connect(), too */
    found = connect(fd, (struct sockaddr *)&server, sizeof(server)) == 0 &&
            write(fd, request, len) == len && read(fd, answer, sizeof(answer)) > 12 &&
            memcmp(answer + 8, " 200", 4) == 0;
    close(fd);
    if (!found)
        usleep(TRY_US); /* refused: the CPU is the domain's */
    return found;
}

int main(int argc, char **argv)
{
    uint64_t begin, end, limit_ns, cpu_begin, cpu_end;
    xc_interface *xch;
    uint32_t domid;
    int found;

    xch = xc_interface_open(NULL, NULL, 0);
    domid = strtoul(argc > 1 ? argv[1] : "", NULL, 10);
    if (argc == 2 && xch && cpu_time(xch, domid, &cpu_end) == 0) {
        printf("%llu\n", (unsigned long long)cpu_end);
        return 0;
    }
    if (argc != 5) {
        fprintf(stderr, "usage: boottime DOMID CONSOLE_LOG MARKER SECONDS\n"
                        "       boottime DOMID ADDRESS PATH SECONDS\n"
                        "       boottime DOMID          the CPU time so far, ns\n");
        return 2;
    }
    marker = argv[3];
    limit_ns = strtoul(argv[4], NULL, 10) * 1000000000ull;
    if (open_wait(argv[2])) {
        fprintf(stderr, "boottime: %s: %s\n", argv[2], strerror(errno));
        return 2;
    }
    if (!xch || cpu_time(xch, domid, &cpu_begin) || start(xch, domid)) {
        fprintf(stderr, "boottime: domain %u: %s\n", domid, strerror(errno));
        return 2;
    }
    begin = now_ns();
    do {
        found = log_file >= 0 ? log_grows() : answers();
        if (cpu_time(xch, domid, &cpu_end)) {
            fprintf(stderr, "boottime: domain %u is gone\n", domid);
            return 1;
        }
        end = now_ns();
    } while (!found && end - begin < limit_ns);
    if (!found) {
        fprintf(stderr, "boottime: no \"%s\" within %s s\n", argv[3], argv[4]);
        return 1;
    }
    set_weight(xch, 0, 256); /* the default */
    set_weight(xch, domid, 256);
    printf("%llu %llu\n", (unsigned long long)(end - begin),
           (unsigned long long)(cpu_end - cpu_begin));
    return 0;
}
