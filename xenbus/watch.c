/* SPDX-License-Identifier: MIT
 *
 * Watches: xenstored's events find their handler by token and are handed to it in one thread, in
 * order.  The queue is bounded: what does not fit is not lost but becomes one event for the watch's
 * own path, which is allowed (watches may fire without cause, so handlers read again anyway).
 * Follows Xen docs/misc/xenstore.txt, WATCH.
 */
#include <string.h>
#include "kernel/thread.h"
#include "lib/log.h"
#include "xenbus/internal.h"

#define QUEUE_SIZE (8UL << 10)

/* Wakes the watch thread, and those who wait for a handler to end; its lock nests inside
 * store.room.lock. */
static struct {
    struct waitq q;
    /* held: q.lock */
    struct list watches;
    struct thread *thread;
    bool starting; /* somebody creates the thread */
    struct xenstore_watch *running;
    uint32_t last_token;
    size_t first, len; /* of the queue: records of a token number, and a path with its NUL */
} watches = { .q = WAITQ_INIT(watches.q), .watches = LIST_INIT(watches.watches) };

static char queue[QUEUE_SIZE];
static char running_path[XENSTORE_PAYLOAD_MAX]; /* of the watch thread */

/* All below: held: watches.q.lock. */

static void queue_put(const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        queue[(watches.first + watches.len++) % QUEUE_SIZE] = ((const char *)data)[i];
}

static void queue_get(void *data, size_t len)
{
    for (size_t i = 0; i < len; i++, watches.len--) {
        ((char *)data)[i] = queue[watches.first];
        watches.first = (watches.first + 1) % QUEUE_SIZE;
    }
}

static struct xenstore_watch *find(uint32_t token)
{
    struct list *it;

    list_for_each (it, &watches.watches) {
        struct xenstore_watch *watch = list_entry(it, struct xenstore_watch, link);

        if (watch->token_number == token)
            return watch;
    }
    return NULL;
}

static struct xenstore_watch *find_by_text(const char *token)
{
    struct list *it;

    list_for_each (it, &watches.watches) {
        struct xenstore_watch *watch = list_entry(it, struct xenstore_watch, link);

        if (strcmp(watch->token, token) == 0)
            return watch;
    }
    return NULL;
}

static void wake_all(void)
{
    while (waitq_wake_one_locked(&watches.q))
        ;
}

/* From the event handler. */
void store_watch_event(const char *payload, size_t len)
{
    size_t path_len = strnlen(payload, len) + 1;
    const char *token = payload + path_len;
    struct xenstore_watch *watch;

    /* A third string, the depth, may follow the token. */
    if (path_len >= len || strnlen(token, len - path_len) == len - path_len) {
        store_close_locked("a malformed WATCH_EVENT of len", len);
        return;
    }
    spin_lock(&watches.q.lock);
    watch = find_by_text(token);
    if (watch) {
        if (watches.len + sizeof(watch->token_number) + path_len <= QUEUE_SIZE) {
            queue_put(&watch->token_number, sizeof(watch->token_number));
            queue_put(payload, path_len);
        } else {
            watch->missed = true;
        }
        wake_all();
    }
    spin_unlock(&watches.q.lock);
}

/* The next watch to run, its path in running_path; NULL: nothing is due. */
static struct xenstore_watch *next_event(void)
{
    struct xenstore_watch *watch;
    struct list *it;

    while (watches.len) {
        uint32_t token;
        size_t len = 0;

        queue_get(&token, sizeof(token));
        do {
            queue_get(&running_path[len], 1);
        } while (running_path[len++]);
        watch = find(token);
        if (watch)
            return watch; /* else it was removed meanwhile */
    }
    list_for_each (it, &watches.watches) {
        watch = list_entry(it, struct xenstore_watch, link);
        if (watch->missed && strlen(watch->path) < sizeof(running_path)) {
            watch->missed = false;
            memcpy(running_path, watch->path, strlen(watch->path) + 1);
            return watch;
        }
    }
    return NULL;
}

static void watch_thread(void *arg)
{
    bool enabled = waitq_lock(&watches.q);

    (void)arg;
    for (;;) {
        struct xenstore_watch *watch = next_event();

        if (!watch) {
            waitq_sleep(&watches.q, TIME_NEVER);
            continue;
        }
        watches.running = watch;
        waitq_unlock(&watches.q, enabled);
        watch->fn(watch, running_path); /* may remove its watch: not touched afterwards */
        enabled = waitq_lock(&watches.q);
        watches.running = NULL;
        wake_all();
    }
}

/* A domain without watches needs no thread: the first watch starts it. */
static int start_thread(void)
{
    struct thread *thread;
    bool enabled = waitq_lock(&watches.q);
    int rc = 0;

    while (watches.starting)
        waitq_sleep(&watches.q, TIME_NEVER);
    if (!watches.thread) {
        watches.starting = true;
        waitq_unlock(&watches.q, enabled);
        rc = thread_create(&thread, "xenstore", KERNEL_STACK_ORDER, PRIORITY_NORMAL, watch_thread,
                           NULL);
        enabled = waitq_lock(&watches.q);
        watches.starting = false;
        if (rc == 0)
            watches.thread = thread;
        wake_all();
    }
    waitq_unlock(&watches.q, enabled);
    return rc;
}

static void unlink_watch(struct xenstore_watch *watch)
{
    bool enabled = waitq_lock(&watches.q);

    list_remove(&watch->link);
    while (watches.running == watch && watches.thread != current_thread())
        waitq_sleep(&watches.q, TIME_NEVER); /* for our own handler, whose waits are bounded */
    waitq_unlock(&watches.q, enabled);
}

static int tell_daemon(const struct xenstore_watch *watch, uint32_t type)
{
    struct store_reply reply;
    int rc = store_call(&reply, type, XBT_NIL,
                        STORE_PIECES({ watch->path, strlen(watch->path) + 1 },
                                     { watch->token, strlen(watch->token) + 1 }));

    if (rc == 0)
        store_reply_free(&reply);
    return rc;
}

int xenstore_watch(struct xenstore_watch *watch)
{
    bool enabled;
    int rc = start_thread();

    if (rc)
        return rc;
    enabled = waitq_lock(&watches.q);
    watch->token_number = ++watches.last_token;
    watch->missed = false;
    format_text(watch->token, sizeof(watch->token), "%x", watch->token_number);
    list_add_last(&watches.watches, &watch->link); /* its first event may come before the reply */
    waitq_unlock(&watches.q, enabled);
    rc = tell_daemon(watch, XS_WATCH);
    if (rc)
        unlink_watch(watch);
    return rc;
}

int xenstore_unwatch(struct xenstore_watch *watch)
{
    unlink_watch(watch);
    return tell_daemon(watch, XS_UNWATCH);
}
