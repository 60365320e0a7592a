/* SPDX-License-Identifier: MIT
 *
 * poll(): wait until one of several files is ready.  A file that cannot
 * tell of changes is looked at every 20 ms.
 */
#include <poll.h>
#include "kernel/time.h"
#include "kernel/wait.h"
#include "libc/blocking.h"
#include "libc/fd.h"
#include "libc/poll.h"
#include "mm/kmem.h"

#define LOOK_AGAIN_NS (20 * NS_PER_MS)
#define FEW           16 /* so many need no memory */

struct poller {
    struct waitq q;
    bool changed; /* held: q.lock */
};

struct entry {
    struct fd_watch watch;
    struct poller *poller;
    struct file *file; /* NULL: not open, or not asked for */
};

static void entry_changed(struct fd_watch *watch)
{
    struct poller *poller = container_of(watch, struct entry, watch)->poller;
    bool enabled = waitq_lock(&poller->q);

    poller->changed = true;
    waitq_wake_one_locked(&poller->q);
    waitq_unlock(&poller->q, enabled);
}

/* The poll() bits for what a file says. */
static short events_of(unsigned int ready)
{
    short events = 0;

    if (ready & FD_READABLE)
        events |= POLLIN | POLLRDNORM;
    if (ready & FD_WRITABLE)
        events |= POLLOUT | POLLWRNORM;
    if (ready & FD_BROKEN)
        events |= POLLERR;
    if (ready & FD_HUNG_UP)
        events |= POLLHUP;
    return events;
}

/* How many have something to say. */
static int look(struct pollfd *fds, const struct entry *entries, nfds_t count)
{
    int found = 0;

    for (nfds_t i = 0; i < count; i++) {
        struct file *file = entries[i].file;
        short wanted = fds[i].events | POLLERR | POLLHUP | POLLNVAL, events = 0;

        if (file)
            events = events_of(file_ops(file)->ready ? file_ops(file)->ready(file)
                                                     : FD_READABLE | FD_WRITABLE);
        else if (fds[i].fd >= 0)
            events = POLLNVAL;
        fds[i].revents = events & wanted;
        found += fds[i].revents != 0;
    }
    return found;
}

/* Have the files tell of changes. False: one of them cannot. */
static bool watch_all(struct entry *entries, nfds_t count)
{
    bool all = true;

    for (nfds_t i = 0; i < count; i++) {
        struct file *file = entries[i].file;

        if (file && file_ops(file)->watchers)
            fd_watch_add(file_ops(file)->watchers(file), &entries[i].watch);
        else if (file && file_ops(file)->ready)
            all = false;
    }
    return all;
}

static int sleep_until(struct poller *poller, uint64_t deadline_ns)
{
    bool enabled = waitq_lock(&poller->q);
    int rc = 0;

    while (!poller->changed && rc == 0)
        rc = waitq_sleep_interruptible(&poller->q, deadline_ns);
    poller->changed = false;
    waitq_unlock(&poller->q, enabled);
    return rc;
}

static int wait_for_any(struct pollfd *fds, struct entry *entries, nfds_t count,
                        struct poller *poller, uint64_t deadline_ns)
{
    int found = look(fds, entries, count), rc = 0;
    bool all;

    if (found || deadline_ns == 0)
        return found;
    all = watch_all(entries, count);
    while ((found = look(fds, entries, count)) == 0 && rc != -XEN_EINTR) {
        uint64_t until_ns = all ? deadline_ns : MIN(deadline_ns, time_after_ns(LOOK_AGAIN_NS));

        if (rc == -XEN_ETIMEDOUT && time_now_ns() >= deadline_ns)
            return 0;
        rc = sleep_until(poller, until_ns);
    }
    return found ? found : -EINTR;
}

static int poll_until(struct pollfd *fds, nfds_t count, uint64_t deadline_ns)
{
    struct poller poller = { .q = WAITQ_INIT(poller.q) };
    struct entry few[FEW] = { { .file = NULL } }, *entries = few;
    int rc;

    if (count > FD_LIMIT)
        return -EINVAL;
    if (count > FEW)
        entries = kmem_alloc(count * sizeof(*entries));
    if (!entries)
        return -ENOMEM;
    for (nfds_t i = 0; i < count; i++) {
        entries[i] = (struct entry){ .watch.changed = entry_changed,
                                     .poller = &poller,
                                     .file = fds[i].fd >= 0 ? file_get(fds[i].fd) : NULL };
        list_init(&entries[i].watch.link);
    }
    rc = wait_for_any(fds, entries, count, &poller, deadline_ns);
    for (nfds_t i = 0; i < count; i++) {
        struct file *file = entries[i].file;

        if (file && file_ops(file)->watchers)
            fd_watch_remove(file_ops(file)->watchers(file), &entries[i].watch);
        if (file)
            file_put(file);
    }
    if (entries != few)
        kmem_free(entries);
    return rc;
}

int libc_poll(struct pollfd *fds, nfds_t count, uint64_t deadline_ns)
{
    int rc;

    if (pthread_testcancel)
        pthread_testcancel();
    do {
        rc = poll_until(fds, count, deadline_ns);
    } while (rc == -EINTR && libc_interrupted_cancel_any && libc_interrupted_cancel_any() == 0);
    return rc;
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    uint64_t deadline_ns = TIME_NEVER;

    if (timeout_ms >= 0)
        deadline_ns = timeout_ms ? time_after_ns((uint64_t)timeout_ms * NS_PER_MS) : 0;
    return (int)libc_result(libc_poll(fds, count, deadline_ns));
}
