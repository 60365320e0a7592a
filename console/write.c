/* SPDX-License-Identifier: MIT
 *
 * Output from threads, which may wait for room; when the daemon is told; and the end, when all of
 * it has to arrive.  The ring itself is ring.c.  Follows Xen public/io/console.h and xenconsoled's
 * limits.
 */
#include "console/internal.h"
#include "events/events.h"
#include "hypercall/sched.h"
#include "kernel/mutex.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/log.h"

/* xenconsoled stops listening to a console that sends over 30 events in 200 ms for the rest of
 * these 200 ms. Small writes are told at once until the allowance is used up, then now and then. */
#define NOTIFY_EVERY_NS (12500 * NS_PER_US)
#define NOTIFY_BURST    12
/* It raises an event when it has read; should it not have by then, it is told again. */
#define NOTIFY_AGAIN_NS (100 * NS_PER_MS)

static struct mutex writers = MUTEX_INIT(writers); /* one text at a time, in the order they came */
static struct timer notify_timer;
void (*console_out_copy)(const char *text, size_t len);

/* held: console_out.q.lock */
static uint64_t allowance_ns; /* time saved up, NOTIFY_EVERY_NS of which buy one event */
static uint64_t allowance_at; /* ... as of then */
static uint64_t notified_at;
static bool stalled; /* the daemon took nothing for CONSOLE_WAIT_NS: nobody waits until it does */

static bool may_notify(uint64_t now_ns)
{
    allowance_ns = MIN(allowance_ns + (now_ns - allowance_at), NOTIFY_BURST * NOTIFY_EVERY_NS);
    allowance_at = now_ns;
    if (allowance_ns < NOTIFY_EVERY_NS)
        return false;
    allowance_ns -= NOTIFY_EVERY_NS;
    return true;
}

static bool ring_full(void)
{
    return console_out.prod - console_out.cons + 2 > sizeof(console_out.ring->out);
}

/* held: console_out.q.lock. After every change of the ring: tells the daemon, unless it is known to
 * come back by itself or is told soon. */
static void pace(void)
{
    struct console_out *out = &console_out;
    uint64_t now_ns;

    if (out->cons == out->prod || out->broken)
        return;
    now_ns = time_now_ns();
    /* It has not read all it was told of; when it has, its event brings us back here. */
    if ((int32_t)(out->notified - out->cons) > 0 && now_ns - notified_at < NOTIFY_AGAIN_NS)
        return;
    if (may_notify(now_ns) || ring_full()) {
        notified_at = now_ns;
        console_out_notify();
    } else if (!load_once(&notify_timer.heap)) {
        timer_arm(&notify_timer, now_ns + NOTIFY_EVERY_NS);
    }
}

static void notify_due(void *arg)
{
    bool enabled = waitq_lock(&console_out.q);

    (void)arg;
    console_out_refresh();
    pace();
    waitq_unlock(&console_out.q, enabled);
}

/* held: console_out.q.lock. True: the daemon took something. */
static bool refresh(void)
{
    bool moved = console_out_refresh();

    if (moved)
        stalled = false;
    return moved;
}

static void output_event(void)
{
    bool enabled = waitq_lock(&console_out.q);

    if (refresh()) {
        console_out_push("", 0, false);
        while (waitq_wake_one_locked(&console_out.q))
            ;
    }
    pace();
    waitq_unlock(&console_out.q, enabled);
    console_out_report();
}

static void console_event(evtchn_port_t port, void *arg)
{
    (void)port;
    (void)arg;
    output_event();
    console_in_event();
}

/* held: console_out.q.lock. How much of `text` went out before the daemon had taken nothing for
 * CONSOLE_WAIT_NS. */
static size_t write_waiting(const char *text, size_t len, bool cooked)
{
    uint64_t deadline_ns = 0;
    size_t done = 0;
    int rc = 0;

    for (;;) {
        if (refresh())
            deadline_ns = 0;
        done += console_out_push(text + done, len - done, cooked);
        pace();
        if (done == len || rc || stalled || console_out.broken)
            break;
        if (!deadline_ns)
            deadline_ns = time_after_ns(CONSOLE_WAIT_NS);
        rc = waitq_sleep(&console_out.q, deadline_ns);
    }
    if (done < len)
        stalled = true;
    return done;
}

void console_set_copy(void (*write)(const char *text, size_t len), int (*read)(void))
{
    console_out_copy = write;
    console_in_copy = read;
}

void console_write(const char *text, size_t len)
{
    bool enabled, cooked = console_in_mode() == CONSOLE_LINE;

    if (console_out_copy)
        console_out_copy(text, len);
    if (!console_out.pace || !may_sleep()) {
        enabled = spin_lock_save(&console_out.q.lock);
        console_out_post(text, len, cooked);
        spin_unlock_restore(&console_out.q.lock, enabled);
        return;
    }
    mutex_lock(&writers);
    enabled = waitq_lock(&console_out.q);
    console_out_drop(len - write_waiting(text, len, cooked));
    waitq_unlock(&console_out.q, enabled);
    mutex_unlock(&writers);
    console_out_report();
}

/* held: console_out.q.lock */
static bool all_taken(void)
{
    refresh();
    console_out_push("", 0, false);
    return console_out.broken || (console_out.cons == console_out.prod && !console_out.backlog_len);
}

int console_drain(uint64_t deadline_ns)
{
    bool enabled, sleep = console_out.pace && may_sleep();
    int rc = 0;

    if (!console_out.ring)
        return 0;
    enabled = waitq_lock(&console_out.q);
    while (!all_taken() && rc == 0) {
        uint64_t now_ns = time_now_ns();

        if (now_ns >= deadline_ns) {
            rc = -XEN_ETIMEDOUT;
            break;
        }
        if (console_out.notified != console_out.prod || now_ns - notified_at > NOTIFY_AGAIN_NS) {
            notified_at = now_ns;
            console_out_notify();
        }
        if (sleep) {
            waitq_sleep(&console_out.q, MIN(deadline_ns, now_ns + NOTIFY_AGAIN_NS));
        } else {
            waitq_unlock(&console_out.q, enabled);
            hypercall_sched_yield();
            enabled = waitq_lock(&console_out.q);
        }
    }
    waitq_unlock(&console_out.q, enabled);
    return rc;
}

int console_init(void)
{
    bool enabled;
    int rc;

    timer_init(&notify_timer, notify_due, NULL);
    allowance_ns = NOTIFY_BURST * NOTIFY_EVERY_NS;
    enabled = waitq_lock(&console_out.q);
    allowance_at = time_now_ns();
    console_out.pace = pace;
    waitq_unlock(&console_out.q, enabled);
    rc = event_bind(console_out.port, console_event, NULL);
    if (rc == 0)
        console_event(console_out.port, NULL); /* for what came before */
    if (console_in_copy)
        thread_start_service("uart", console_in_copy_service, NULL);
    return rc;
}

void console_get_stats(struct console_stats *stats)
{
    bool enabled = spin_lock_save(&console_out.q.lock);

    stats->bytes_out = console_out.written;
    stats->dropped = console_out.dropped;
    spin_unlock_restore(&console_out.q.lock, enabled);
    stats->bytes_in = console_in_count();
}
