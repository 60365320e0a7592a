/* SPDX-License-Identifier: MIT
 *
 * Watches: who is called, when, and what a daemon can do with events.
 */
#include "kernel/mutex.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "mm/kmem.h"
#include "tests/host/fake_xenstored.h"
#include "tests/host/test.h"
#include "xenbus/xenstore.h"

struct seen {
    struct xenstore_watch watch;
    unsigned int calls;
    char last[4096];
};

static void note(struct xenstore_watch *watch, const char *path)
{
    struct seen *seen = watch->arg;

    snprintf(seen->last, sizeof(seen->last), "%s", path);
    atomic_fetch_add(&seen->calls, 1);
}

static unsigned int calls(struct seen *seen)
{
    return load_acquire(&seen->calls);
}

static void start_watch(struct seen *seen, const char *path)
{
    seen->watch.path = path;
    if (!seen->watch.fn)
        seen->watch.fn = note;
    seen->watch.arg = seen;
    CHECK_EQ(xenstore_watch(&seen->watch), 0);
}

static void connect(void)
{
    fake_xenstored_start(0);
    fake_xenstored_connect();
}

TEST(watch_fires_at_once_and_on_change)
{
    static struct seen seen;

    connect();
    start_watch(&seen, "control/shutdown");
    CHECK_SOON(calls(&seen) == 1);
    CHECK_STR(seen.last, "control/shutdown");
    fake_xenstored_set("control/shutdown", "poweroff");
    CHECK_SOON(calls(&seen) == 2);
    fake_xenstored_set("control/shutdown/below", "x");
    CHECK_SOON(calls(&seen) == 3);
    CHECK_STR(seen.last, "control/shutdown/below");
    fake_xenstored_set("control/other", "x");
    CHECK_EQ(xenstore_unwatch(&seen.watch), 0);
    CHECK_EQ(fake_xenstored_watches("control/shutdown"), 0);
    fake_xenstored_set("control/shutdown", "");
    fake_pause_ms(20);
    CHECK_EQ(calls(&seen), 3);
}

TEST(watches_on_one_path_are_told_apart)
{
    static struct seen a, b;

    connect();
    start_watch(&a, "data");
    start_watch(&b, "data");
    CHECK_SOON(calls(&a) == 1 && calls(&b) == 1);
    CHECK_EQ(xenstore_unwatch(&a.watch), 0);
    fake_xenstored_set("data/x", "1");
    CHECK_SOON(calls(&b) == 2);
    CHECK_EQ(calls(&a), 1);
}

TEST(watch_refused)
{
    static struct seen seen[70];
    int rc = 0;
    unsigned int i;

    connect();
    for (i = 0; i < ARRAY_SIZE(seen) && rc == 0; i++) {
        seen[i].watch.path = "data";
        seen[i].watch.fn = note;
        seen[i].watch.arg = &seen[i];
        rc = xenstore_watch(&seen[i].watch);
    }
    CHECK_EQ(rc, -XEN_E2BIG);
    CHECK_EQ(i, 65);
    fake_xenstored_set("data/x", "1");
    CHECK_SOON(calls(&seen[63]) == 2);
    CHECK_EQ(calls(&seen[64]), 0);
}

TEST(event_with_unknown_token)
{
    static struct seen seen;

    connect();
    start_watch(&seen, "data");
    CHECK_SOON(calls(&seen) == 1);
    fake_xenstored_send(XS_WATCH_EVENT, 0, 0, "data\0zz", 8);
    fake_xenstored_send(XS_WATCH_EVENT, 0, 0, "data\0", 6);
    fake_xenstored_set("data", "1");
    CHECK_SOON(calls(&seen) == 2);
    CHECK_EQ(fake_logged("closed"), 0);
}

static void check_malformed_event(const char *payload, uint32_t len)
{
    struct xenstore_watch watch = { .path = "x", .fn = note };

    connect();
    fake_xenstored_send(XS_WATCH_EVENT, 0, 0, payload, len);
    CHECK_SOON(fake_logged("WATCH_EVENT") == 1);
    CHECK_EQ(xenstore_watch(&watch), -XEN_EIO);
}

TEST(event_empty)
{
    check_malformed_event("", 0);
}

TEST(event_without_token)
{
    check_malformed_event("data", 5);
}

TEST(event_with_endless_path)
{
    check_malformed_event("data", 4);
}

TEST(event_with_endless_token)
{
    check_malformed_event("data\0"
                          "1",
                          6);
}

TEST(event_with_depth)
{
    static struct seen seen;
    char payload[64];
    int len;

    connect();
    start_watch(&seen, "data");
    CHECK_SOON(calls(&seen) == 1);
    len = snprintf(payload, sizeof(payload), "data/y%c%s%c3", 0, fake_xenstored_token("data"), 0);
    fake_xenstored_send(XS_WATCH_EVENT, 0, 0, payload, len + 1);
    CHECK_SOON(calls(&seen) == 2);
    CHECK_STR(seen.last, "data/y");
}

/* --- storms --- */

static struct semaphore gate = SEMAPHORE_INIT(gate, 0);

static void wait_at_gate(struct xenstore_watch *watch, const char *path)
{
    note(watch, path);
    semaphore_wait(&gate, TIME_NEVER);
}

TEST(storm_while_a_handler_is_slow)
{
    static struct seen slow = { .watch.fn = wait_at_gate }, other, never;
    char *value;

    connect();
    start_watch(&other, "other");
    start_watch(&never, "never");
    CHECK_SOON(calls(&other) == 1 && calls(&never) == 1);
    start_watch(&slow, "slow");
    CHECK_SOON(calls(&slow) == 1);
    for (unsigned int i = 0; i < 3000; i++)
        fake_xenstored_set("slow/it", "x");
    fake_xenstored_set("other", "now"); /* finds the queue full */
    CHECK_SOON(fake_xenstored_idle());
    CHECK_EQ(xenstore_read(XBT_NIL, "other", &value, NULL), 0); /* replies pass the storm */
    kmem_free(value);
    CHECK_EQ(calls(&slow), 1);
    for (unsigned int i = 0; i < 4000; i++)
        semaphore_post(&gate);
    CHECK_SOON(calls(&other) == 2); /* not lost */
    CHECK_STR(other.last, "other");
    CHECK_LT(calls(&slow), 3000); /* bounded */
    CHECK_GT(calls(&slow), 2);
    CHECK_EQ(calls(&never), 1);
}

static bool answer_long_then_event(const struct xsd_sockmsg *request, const char *payload)
{
    static const char value[300];
    struct {
        struct xsd_sockmsg header;
        char value[sizeof(value)];
        struct xsd_sockmsg event;
        char path[6], token[2];
    } both = { .header = *request, .event = { .type = XS_WATCH_EVENT, .len = 8 } };

    (void)payload;
    if (request->type != XS_READ)
        return false;
    both.header.len = sizeof(value);
    memcpy(both.path, "other", 6);
    memcpy(both.token, fake_xenstored_token("other"), 2);
    fake_xenstored_send_raw(&both, offsetof(typeof(both), token) + 2);
    return true;
}

TEST(event_behind_a_reply_without_memory)
{
    static struct seen other;
    char *value;

    connect();
    start_watch(&other, "other");
    CHECK_SOON(calls(&other) == 1);
    fake_xenstored.hook = answer_long_then_event;
    fake_alloc_fail_after(0);
    CHECK_EQ(xenstore_read(XBT_NIL, "x", &value, NULL), -XEN_ENOMEM);
    CHECK_SOON(calls(&other) == 2); /* though nothing more comes from the daemon */
}

/* --- ends --- */

static struct seen victim = { .watch.fn = wait_at_gate };
static bool unwatched;

static void unwatch_victim(void *arg)
{
    (void)arg;
    CHECK_EQ(xenstore_unwatch(&victim.watch), 0);
    store_release(&unwatched, true);
}

TEST(unwatch_waits_for_running_handler)
{
    struct thread *thread;

    connect();
    start_watch(&victim, "data");
    CHECK_SOON(calls(&victim) == 1);      /* it stands at the gate */
    fake_xenstored_set("data", "queued"); /* must not be delivered any more */
    CHECK_EQ(thread_create(&thread, "unwatch", 0, PRIORITY_NORMAL, unwatch_victim, NULL), 0);
    fake_pause_ms(30);
    CHECK(!load_acquire(&unwatched));
    semaphore_post(&gate);
    CHECK_EQ(thread_join(thread, TIME_NEVER), 0);
    fake_xenstored_set("data", "again");
    fake_pause_ms(20);
    CHECK_EQ(calls(&victim), 1);
}

static void unwatch_self(struct xenstore_watch *watch, const char *path)
{
    char *value = NULL;

    CHECK_EQ(xenstore_read(XBT_NIL, "data", &value, NULL), 0); /* a handler may ask */
    kmem_free(value);
    CHECK_EQ(xenstore_unwatch(watch), 0);
    note(watch, path);
}

TEST(unwatch_from_its_own_handler)
{
    static struct seen seen = { .watch.fn = unwatch_self };

    connect();
    fake_xenstored_set("data", "1");
    start_watch(&seen, "data");
    CHECK_SOON(calls(&seen) == 1);
    fake_xenstored_set("data", "2");
    fake_pause_ms(20);
    CHECK_EQ(calls(&seen), 1);
    CHECK_EQ(fake_xenstored_watches("data"), 0);
}

TEST(watch_again_after_unwatch)
{
    static struct seen seen;

    connect();
    for (unsigned int i = 1; i <= 50; i++) {
        start_watch(&seen, "data");
        CHECK_SOON(calls(&seen) == i);
        CHECK_EQ(xenstore_unwatch(&seen.watch), 0);
    }
    CHECK_EQ(fake_xenstored_watches("data"), 0);
}

TEST(connection_closed)
{
    struct xenstore_watch watch = { .path = "x", .fn = note };

    connect();
    fake_xenstored.silent = true;
    fake_xenstored.ring->req_cons = 77; /* the connection ends at the first request */
    CHECK_EQ(xenstore_watch(&watch), -XEN_EIO);
    CHECK_EQ(xenstore_unwatch(&watch), -XEN_EIO);
}
