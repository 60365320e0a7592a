/* SPDX-License-Identifier: MIT
 *
 * What is answered: the page, its figures, bytes to measure by, or why not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "events/events.h"
#include "http.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "lib/vcpu_set.h"
#include "mm/page.h"
#include "net/netif.h"

#define BYTES_MAX (1ULL << 40)

uint64_t http_requests, http_bytes;
unsigned int http_connections;
char pattern[PATTERN_SIZE];

const char *status_text(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Service Unavailable";
    }
}

size_t stats_write(char *out, size_t size)
{
    struct net_counters net;
    struct events_stats events;
    struct sched_stats sched;
    struct page_stats pages;

    net_get_counters(&net);
    events_get_stats(&events);
    sched_get_stats(&sched);
    page_get_stats(&pages);
    return (size_t)snprintf(
        out, size,
        "{\"now_ns\":%llu,\"vcpus\":%u,\"idle_ns\":%llu,\"threads\":%u,\"switches\":%llu,"
        "\"memory\":%lu,\"memory_free\":%lu,\"upcalls\":%llu,\"events\":%llu,"
        "\"packets_in\":%llu,\"bytes_in\":%llu,\"packets_out\":%llu,\"bytes_out\":%llu,"
        "\"dropped\":%llu,\"requests\":%llu,\"connections\":%u}\n",
        (unsigned long long)time_now_ns(), vcpu_set_count(&vcpus_online),
        (unsigned long long)sched.idle_ns, sched.threads, (unsigned long long)sched.switches,
        pages.total * PAGE_SIZE, pages.free * PAGE_SIZE, (unsigned long long)events.upcalls,
        (unsigned long long)events.delivered, (unsigned long long)net.packets_in,
        (unsigned long long)net.bytes_in, (unsigned long long)net.packets_out,
        (unsigned long long)net.bytes_out, (unsigned long long)net.dropped,
        (unsigned long long)load_once(&http_requests), load_once(&http_connections));
}

/* /bytes/N: the number, or -1. */
static long long bytes_wanted(const char *path)
{
    char *end;
    unsigned long long n;

    if (strncmp(path, "/bytes/", 7) != 0 || path[7] < '0' || path[7] > '9')
        return -1;
    n = strtoull(path + 7, &end, 10);
    return *end || n > BYTES_MAX ? -1 : (long long)n;
}

void answer_make(struct answer *answer, const struct request *request, int status)
{
    long long bytes;

    answer->status = status;
    answer->type = "text/plain; charset=utf-8";
    answer->body = answer->text;
    if (status == 200 &&
        (strcmp(request->path, "/") == 0 || strcmp(request->path, "/index.html") == 0)) {
        answer->type = "text/html; charset=utf-8";
        answer->body = page;
        answer->len = strlen(page);
    } else if (status == 200 && strcmp(request->path, "/stats.json") == 0) {
        answer->type = "application/json";
        answer->len = stats_write(answer->text, sizeof(answer->text));
    } else if (status == 200 && (bytes = bytes_wanted(request->path)) >= 0) {
        answer->type = "application/octet-stream";
        answer->body = NULL; /* the pattern */
        answer->len = (uint64_t)bytes;
    } else {
        answer->status = status == 200 ? 404 : status;
        answer->len = (uint64_t)snprintf(answer->text, sizeof(answer->text), "%d %s\n",
                                         answer->status, status_text(answer->status));
    }
}
