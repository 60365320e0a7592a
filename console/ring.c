/* SPDX-License-Identifier: MIT
 *
 * The output half of the console ring, for every context: what fits goes into the ring, what does
 * not goes into a backlog, what does not fit there is dropped and counted.  Never waits, except in
 * a panic, where nobody else will push the last words out.  Waiting writers are write.c.
 * Follows Xen public/io/console.h.
 */
#include <string.h>
#include "arch/clock.h"
#include "console/internal.h"
#include "hypercall/event_channel.h"
#include "lib/log.h"

#define NOTICE_MAX 64
/* Turns a panic waits for a daemon that takes nothing, should the clock stand still too. */
#define EMERGENCY_TURNS 1000000

static char backlog[CONSOLE_BACKLOG];
struct console_out console_out = { .q = WAITQ_INIT_RANK(console_out.q, LOCK_CONSOLE),
                                   .backlog = backlog };

bool console_out_refresh(void)
{
    struct console_out *out = &console_out;
    uint32_t cons = load_acquire(&out->ring->out_cons); /* pairs with the daemon's, after it read */
    bool moved = cons != out->cons;

    if (out->broken)
        return false;
    /* Does it claim bytes never written, or read twice? */
    if (out->prod - cons > out->prod - out->cons) {
        out->broken = true;
        out->nonsense = cons;
        return false;
    }
    out->cons = cons;
    return moved;
}

void console_out_report(void)
{
    struct console_out *out = &console_out;
    bool report, enabled = spin_lock_save(&out->q.lock);

    report = out->broken && !out->reported;
    out->reported |= report;
    spin_unlock_restore(&out->q.lock, enabled);
    if (report)
        log_error("console: output closed: out_cons is %u where out_prod is %u", out->nonsense,
                  out->prod);
}

void console_out_notify(void)
{
    console_out.notified = console_out.prod;
    hypercall_evtchn_send(console_out.port);
}

void console_out_kick(void)
{
    if (console_out.pace)
        console_out.pace();
    else
        console_out_notify();
}

/* Bytes the ring takes without another look at the daemon's index. */
static size_t ring_room(void)
{
    struct console_out *out = &console_out;

    return sizeof(out->ring->out) - (out->prod - out->cons);
}

/* `len` is not more than there is room for. */
static void ring_put(const char *text, size_t len)
{
    struct console_out *out = &console_out;
    size_t at = MASK_XENCONS_IDX(out->prod, out->ring->out);
    size_t first = MIN(len, sizeof(out->ring->out) - at);

    memcpy(out->ring->out + at, text, first);
    memcpy(out->ring->out, text + first, len - first);
    out->prod += len;
    if (len)
        out->last_cr = text[len - 1] == '\r';
}

/* How many bytes of `text` are in the ring now; '\r' before each '\n' when `cooked`, as a raw
 * terminal at the other end wants it. */
static size_t ring_put_text(const char *text, size_t len, bool cooked)
{
    struct console_out *out = &console_out;
    size_t done = 0, room = ring_room();

    while (done < len) {
        const char *end = cooked ? memchr(text + done, '\n', len - done) : NULL;
        size_t line = end ? (size_t)(end - text) - done : len - done;
        size_t part = MIN(line, room);

        ring_put(text + done, part);
        done += part;
        room -= part;
        if (done == len || part < line)
            break;
        part = out->last_cr ? 1 : 2;
        if (room < part)
            break;
        ring_put(part == 2 ? "\r\n" : "\n", part);
        done++;
        room -= part;
    }
    store_release(&out->ring->out_prod, out->prod); /* pairs with the daemon's read of out_prod */
    return done;
}

/* Backlog bytes are cooked already. */
static void backlog_put(const char *text, size_t len, bool cooked)
{
    struct console_out *out = &console_out;

    for (size_t i = 0; i < len; i++) {
        bool add_cr = cooked && text[i] == '\n' && !out->last_cr;

        if (out->backlog_len + 1 + add_cr > CONSOLE_BACKLOG) {
            console_out_drop(len - i);
            return;
        }
        if (add_cr)
            out->backlog[(out->backlog_first + out->backlog_len++) % CONSOLE_BACKLOG] = '\r';
        out->backlog[(out->backlog_first + out->backlog_len++) % CONSOLE_BACKLOG] = text[i];
        out->last_cr = text[i] == '\r';
        out->line_open = text[i] != '\n';
    }
}

/* Once text was lost, nothing may follow before the notice does. `room`: what there is for it.
 * True: nothing is owed any more. */
static bool put_notice(size_t room)
{
    struct console_out *out = &console_out;
    char notice[NOTICE_MAX];
    int len;

    if (!out->lost)
        return true;
    if (room < NOTICE_MAX)
        return false;
    len = format_text(notice, sizeof(notice), "%s[console: %llu bytes dropped]\n",
                      out->line_open ? "\n" : "", (unsigned long long)out->lost);
    out->lost = 0;
    backlog_put(notice, MIN((size_t)len, sizeof(notice) - 1), true);
    return true;
}

static void flush_backlog(void)
{
    struct console_out *out = &console_out;

    while (out->backlog_len) {
        size_t part = MIN(out->backlog_len, CONSOLE_BACKLOG - out->backlog_first);
        bool last_cr = out->last_cr;
        size_t done = ring_put_text(out->backlog + out->backlog_first, part, false);

        out->last_cr = last_cr; /* that of the byte accepted last, not of the byte moved last */
        out->backlog_first = (out->backlog_first + done) % CONSOLE_BACKLOG;
        out->backlog_len -= done;
        if (done < part)
            return;
    }
}

size_t console_out_push(const char *text, size_t len, bool cooked)
{
    struct console_out *out = &console_out;
    size_t done;

    if (!out->ring || out->broken)
        return 0;
    flush_backlog();
    if (out->backlog_len || !put_notice(ring_room()))
        return 0;
    flush_backlog();
    done = ring_put_text(text, len, cooked);
    if (done)
        out->line_open = text[done - 1] != '\n';
    out->written += done;
    return done;
}

void console_out_drop(size_t len)
{
    console_out.lost += len;
    console_out.dropped += len;
}

void console_out_post(const char *text, size_t len, bool cooked)
{
    struct console_out *out = &console_out;
    size_t done;

    if (!out->ring)
        return;
    console_out_refresh();
    done = console_out_push(text, len, cooked);
    if (done < len) {
        if (put_notice(CONSOLE_BACKLOG - out->backlog_len)) {
            uint64_t before = out->dropped;

            backlog_put(text + done, len - done, cooked);
            out->written += len - done - (out->dropped - before);
        } else {
            console_out_drop(len - done);
        }
    }
    if (!out->broken)
        console_out_kick();
}

/* No locks, no backlog: poll until the daemon has taken all of it, or takes nothing for
 * CONSOLE_WAIT_NS; then later lines do not wait again.  With a broken ring the text is left in the
 * page for whoever looks at a dump. */
static void write_emergency(const char *text, size_t len)
{
    static bool given_up;
    struct console_out *out = &console_out;
    uint64_t since = arch_clock_ns();
    size_t done = 0;

    console_out_notify(); /* even if the ring is full of what it was told of: it may have slept on
                             it */
    for (unsigned int turn = 0; turn < EMERGENCY_TURNS; turn++) {
        if (console_out_refresh()) {
            since = arch_clock_ns();
            turn = 0;
            given_up = false;
        }
        if (out->broken)
            out->cons = out->prod; /* all of the ring is ours */
        flush_backlog();
        if (!out->backlog_len && put_notice(ring_room())) {
            flush_backlog();
            done += ring_put_text(text + done, len - done, true);
        }
        if (out->notified != out->prod)
            console_out_notify();
        if (done == len && (out->broken || out->cons == out->prod))
            return;
        if (given_up || arch_clock_ns() - since > CONSOLE_WAIT_NS)
            break;
        hypercall_sched_yield();
    }
    given_up = true;
}

static void log_to_console(struct log_sink *sink, const char *text, size_t len)
{
    bool enabled;

    (void)sink;
    if (log_in_emergency()) {
        write_emergency(text, len);
        return;
    }
    enabled = spin_lock_save(&console_out.q.lock);
    console_out_post(text, len, true);
    spin_unlock_restore(&console_out.q.lock, enabled);
}

void console_early_init(struct xencons_interface *ring, evtchn_port_t port)
{
    static struct log_sink sink = { .write = log_to_console };
    struct console_out *out = &console_out;

    out->ring = ring;
    out->port = port;
    out->prod = out->notified = load_once(&ring->out_prod); /* an earlier kernel may have written */
    out->cons = out->prod - MIN(out->prod - load_once(&ring->out_cons), sizeof(ring->out));
    log_add_sink(&sink);
}
