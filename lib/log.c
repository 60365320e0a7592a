/* SPDX-License-Identifier: MIT
 *
 * Log lines to sinks.  A line is put together on the caller's stack and handed over whole, so lines
 * from several vCPUs do not mix.
 */
#include <string.h>
#include "lib/log.h"
#include "lib/spinlock.h"

#define LINE_MAX  256
#define EARLY_MAX 1024 /* what is said before the console is there */

enum log_level log_level = LOG_WARN;

static spinlock_t lock = SPINLOCK_INIT_RANK(LOCK_LOG);
static struct log_sink *sinks; /* held: lock */
static char early[EARLY_MAX];  /* held: lock */
static size_t early_len;       /* held: lock */
static uint64_t (*clock_ns)(void);
static bool emergency;

void log_set_clock(uint64_t (*now_ns)(void))
{
    clock_ns = now_ns;
}

void log_emergency(void)
{
    emergency = true;
}

bool log_in_emergency(void)
{
    return emergency;
}

void log_add_sink(struct log_sink *sink)
{
    bool enabled = spin_lock_save(&lock);

    if (early_len)
        sink->write(sink, early, early_len);
    sink->next = sinks;
    sinks = sink;
    spin_unlock_restore(&lock, enabled);
}

static void write_sinks(const char *text, size_t len)
{
    if (!sinks && len <= EARLY_MAX - early_len) {
        memcpy(early + early_len, text, len);
        early_len += len;
    }
    for (struct log_sink *sink = sinks; sink; sink = sink->next)
        sink->write(sink, text, len);
}

static size_t stamp(char *line, enum log_level level)
{
    static const char *const tags[] = { "error: ", "warning: ", "", "" };
    unsigned long long us = clock_ns ? clock_ns() / NS_PER_US : 0;

    if (!clock_ns)
        return format_text(line, LINE_MAX, "[    boot    ] %s", tags[level]);
    return format_text(line, LINE_MAX, "[%5llu.%06llu] %s", us / 1000000, us % 1000000,
                       tags[level]);
}

void log_line(enum log_level level, const char *format, ...)
{
    char line[LINE_MAX];
    size_t len;
    va_list args;

    if (level > log_level)
        return;
    len = stamp(line, level);
    va_start(args, format);
    len += format_text_v(line + len, sizeof(line) - len, format, args);
    va_end(args);
    len = MIN(len, sizeof(line) - 1);
    line[len == sizeof(line) - 1 ? len - 1 : len] = '\n';
    len = len == sizeof(line) - 1 ? len : len + 1;
    if (emergency) {
        write_sinks(line, len);
        return;
    }
    bool enabled = spin_lock_save(&lock);

    write_sinks(line, len);
    spin_unlock_restore(&lock, enabled);
}
