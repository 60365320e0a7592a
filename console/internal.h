/* SPDX-License-Identifier: MIT
 *
 * What the console's files share: the output ring with its backlog.  Private to console/.
 */
#pragma once
#include "console/console.h"
#include "kernel/wait.h"

#define CONSOLE_BACKLOG 8192 /* text of callers that may not wait, while the ring is full */

struct console_out {
    struct waitq q; /* writers that wait for room; its lock is the output's lock */
    /* held: q.lock */
    struct xencons_interface *ring;
    evtchn_port_t port;
    uint32_t prod;           /* ours; the ring's copy is written, never read back */
    uint32_t cons;           /* the daemon's, as last judged */
    uint32_t notified;       /* prod when the daemon was last told */
    bool broken;             /* the daemon's index was nonsense: the ring takes nothing any more */
    bool reported;           /* ... and the log knows */
    uint32_t nonsense;       /* the index */
    bool last_cr, line_open; /* of the byte last accepted: '\r'; anything but '\n' */
    /* Tells the daemon when that is worth an event; NULL before console_init(): tell it always. */
    void (*pace)(void);
    size_t backlog_first, backlog_len;
    uint64_t lost;    /* bytes dropped since the last notice */
    uint64_t dropped; /* ... since boot */
    uint64_t written; /* bytes accepted since boot */
    char *backlog;    /* CONSOLE_BACKLOG bytes */
};

extern struct console_out console_out;

/* Held: console_out.q.lock, for all of these. */
/* Read the daemon's index and judge it. True: it moved. */
bool console_out_refresh(void);
/* Put into the ring what fits of backlog, drop notice and then `text` (`cooked`: "\n" becomes
 * "\r\n"). Returns how many bytes of `text` are in the ring; does not tell the daemon. */
size_t console_out_push(const char *text, size_t len, bool cooked);
/* As push, but what does not fit is kept in the backlog, and what does not fit there is dropped.
 * Tells the daemon. */
void console_out_post(const char *text, size_t len, bool cooked);
/* `len` bytes of text are lost. */
void console_out_drop(size_t len);
/* Tell the daemon now. */
void console_out_notify(void);
/* Tell the daemon, or let `pace` decide. */
void console_out_kick(void);
/* Says once that the ring is broken; lock not held. */
void console_out_report(void);

/* input.c */
/* The ring may have input. */
void console_in_event(void);
enum console_mode console_in_mode(void);
/* A second console; NULL: there is none. */
extern void (*console_out_copy)(const char *text, size_t len);
extern int (*console_in_copy)(void);
/* The thread that does. */
void console_in_copy_service(void *unused);
/* Bytes of input since boot. */
uint64_t console_in_count(void);
