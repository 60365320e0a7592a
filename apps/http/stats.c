/* SPDX-License-Identifier: MIT
 *
 * The figures of the page, as JSON.  What grows is told as it is; the page makes rates of it.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "stats.h"
#include "xenolith.h"

#define VCPUS_SHOWN 128

static struct xenolith_info info;

struct text {
    char *out;
    size_t size, len;
};

static __attribute__((format(printf, 2, 3))) void add(struct text *text, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text->out + text->len, text->size - text->len, format, args);
    va_end(args);
    text->len += (size_t)len;
    if (text->len >= text->size)
        text->len = text->size - 1;
}

/* Names come from outside: nothing in them ends a string. */
static void plain(char *name)
{
    for (; *name; name++)
        if (*name < ' ' || *name == '"' || *name == '\\')
            *name = '_';
}

static void ask_once(void)
{
    xenolith_get_info(&info);
    plain(info.name);
    plain(info.xen_version);
}

size_t stats_write(char *out, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct text text = { out, size, 0 };
    unsigned long long page = (unsigned long long)sysconf(_SC_PAGESIZE);
    struct xenolith_network network;
    struct xenolith_stats stats;
    unsigned int clients;
    struct timespec now;
    uint64_t requests;

    pthread_once(&once, ask_once); /* xenstore takes its time, so not before it is wanted */
    clock_gettime(CLOCK_MONOTONIC, &now);
    xenolith_get_network(&network);
    xenolith_get_stats(&stats);
    serve_count(&clients, &requests);
    add(&text, "{\"name\":\"%s\",\"guest\":\"%s\",\"xen\":\"%s\",\"now_ns\":%llu,", info.name,
        info.guest_type, info.xen_version,
        (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec);
    add(&text, "\"vcpus\":%ld,\"idle_ns\":[", sysconf(_SC_NPROCESSORS_ONLN));
    for (unsigned int i = 0; i < info.vcpus && i < VCPUS_SHOWN; i++)
        add(&text, "%s%llu", i ? "," : "", (unsigned long long)xenolith_vcpu_idle_ns(i));
    add(&text, "],\"memory\":%llu,\"memory_free\":%llu,",
        (unsigned long long)sysconf(_SC_PHYS_PAGES) * page,
        (unsigned long long)sysconf(_SC_AVPHYS_PAGES) * page);
    add(&text, "\"threads\":%u,\"switches\":%llu,\"upcalls\":%llu,\"events\":%llu,", stats.threads,
        (unsigned long long)stats.switches, (unsigned long long)stats.upcalls,
        (unsigned long long)stats.events);
    add(&text, "\"packets_in\":%llu,\"bytes_in\":%llu,\"packets_out\":%llu,\"bytes_out\":%llu,",
        (unsigned long long)network.packets_in, (unsigned long long)network.bytes_in,
        (unsigned long long)network.packets_out, (unsigned long long)network.bytes_out);
    add(&text, "\"dropped\":%llu,\"requests\":%llu,\"connections\":%u}\n",
        (unsigned long long)network.dropped, (unsigned long long)requests, clients);
    return text.len;
}
