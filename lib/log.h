/* SPDX-License-Identifier: MIT
 *
 * The kernel's own messages.  A line goes to every registered sink; lines from before the first
 * sink are kept and handed to it.  Usable in every context, also in an upcall and during a panic.
 *
 * Formats: %s %c %d %i %u %x %X %p %% with width (or *), 0, -, and the lengths h l ll z;
 * %.*s and %.Ns; no floating point.
 */
#pragma once
#include <stdarg.h>
#include "lib/types.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Lines above this level are dropped; LOG_WARN unless -loglevel= says else. */
extern enum log_level log_level;

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

/* One line; the newline is added. A line over 255 bytes is cut. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct log_sink {
    /* Called with upcalls masked, one call at a time except in a panic. Must not sleep or log. */
    void (*write)(struct log_sink *sink, const char *text, size_t len);
    struct log_sink *next;
};

/* `sink` stays the caller's and must live for ever. The kept early lines are written to it first.
 */
void log_add_sink(struct log_sink *sink);

/* The source of time stamps, in ns since boot; none before it is set. */
void log_set_clock(uint64_t (*now_ns)(void));

/* From a panic on: no locks, so that a broken holder cannot stop the last words. */
void log_emergency(void);
/* Has log_emergency() been called? For sinks: they may then have to poll. Any context. */
bool log_in_emergency(void);

/* snprintf with the formats above: how many bytes the whole text has; always terminated. */
int format_text(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int format_text_v(char *out, size_t size, const char *format, va_list args);

/* The name of a Xen errno: error_name(-2) is "ENOENT". Takes either sign; never NULL. */
const char *error_name(long error);
