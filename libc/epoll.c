/* SPDX-License-Identifier: MIT
 *
 * epoll: an interest in a file is kept, and files that become ready line up, so a wait costs as
 * much as what it finds.  An interest ends with its file.  An epoll cannot be in another one.
 *
 * One mutex guards which interests there are; the line of ready ones is guarded by the lock of the
 * wait queue, because files add to it from any context.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include "kernel/mutex.h"
#include "kernel/time.h"
#include "libc/blocking.h"
#include "libc/fd.h"
#include "mm/kmem.h"

struct epoll {
    struct list interests; /* held: mutex */
    struct waitq q;
    struct list line; /* held: q.lock */
};

struct interest {
    struct fd_watch watch;
    struct epoll *epoll; /* held: mutex; NULL: that one is closed */
    struct list all;     /* held: mutex */
    struct list in_line; /* held: epoll->q.lock */
    struct file *file;   /* not a reference: watch.gone() comes first */
    int fd;
    struct epoll_event event; /* held: epoll->q.lock */
};

static struct mutex mutex = MUTEX_INIT(mutex);

/* Called by the file, or when the interest changes. */
static void interest_changed(struct fd_watch *watch)
{
    struct interest *interest = container_of(watch, struct interest, watch);
    struct epoll *epoll = interest->epoll;
    bool enabled = waitq_lock(&epoll->q);

    if (list_empty(&interest->in_line))
        list_add_last(&epoll->line, &interest->in_line);
    waitq_wake_one_locked(&epoll->q);
    waitq_unlock(&epoll->q, enabled);
}

/* Nobody tells of it any more. held: mutex */
static void interest_end(struct interest *interest)
{
    struct epoll *epoll = interest->epoll;
    bool enabled;

    if (epoll) {
        enabled = waitq_lock(&epoll->q);
        list_remove(&interest->in_line);
        waitq_unlock(&epoll->q, enabled);
        list_remove(&interest->all);
    }
    kmem_free(interest);
}

static void interest_gone(struct fd_watch *watch)
{
    mutex_lock(&mutex);
    interest_end(container_of(watch, struct interest, watch));
    mutex_unlock(&mutex);
}

static unsigned int epoll_ready(struct file *file)
{
    struct epoll *epoll = file_data(file);

    return load_once(&epoll->line.next) == &epoll->line ? 0 : FD_READABLE;
}

static void epoll_close(struct file *file)
{
    struct epoll *epoll = file_data(file);
    struct list *it, *next;

    mutex_lock(&mutex);
    list_for_each_safe (it, next, &epoll->interests) {
        struct interest *interest = list_entry(it, struct interest, all);

        if (fd_watch_remove(file_ops(interest->file)->watchers(interest->file), &interest->watch)) {
            interest_end(interest);
        } else { /* interest_gone() waits for the mutex */
            list_remove(&interest->all);
            interest->epoll = NULL;
        }
    }
    mutex_unlock(&mutex);
    kmem_free(epoll);
}

static const struct file_ops epoll_file_ops = { .ready = epoll_ready, .close = epoll_close };

int epoll_create1(int flags)
{
    struct epoll *epoll = kmem_alloc(sizeof(*epoll));
    int fd;

    (void)flags;
    if (!epoll)
        return (int)libc_result(-ENOMEM);
    list_init(&epoll->interests);
    list_init(&epoll->line);
    waitq_init(&epoll->q);
    fd = fd_open(&epoll_file_ops, epoll, O_RDWR);
    if (fd < 0)
        kmem_free(epoll);
    return (int)libc_result(fd);
}

int epoll_create(int size)
{
    return size > 0 ? epoll_create1(0) : (int)libc_result(-EINVAL);
}

/* held: mutex */
static struct interest *find(struct epoll *epoll, int fd, const struct file *file)
{
    struct list *it;

    list_for_each (it, &epoll->interests) {
        struct interest *interest = list_entry(it, struct interest, all);

        if (interest->fd == fd && interest->file == file)
            return interest;
    }
    return NULL;
}

/* held: mutex */
static int add(struct epoll *epoll, int fd, struct file *file, const struct epoll_event *event)
{
    struct interest *interest = kmem_alloc(sizeof(*interest));

    if (!interest)
        return -ENOMEM;
    *interest = (struct interest){ .watch.changed = interest_changed,
                                   .watch.gone = interest_gone,
                                   .epoll = epoll,
                                   .file = file,
                                   .fd = fd,
                                   .event = *event };
    list_init(&interest->watch.link);
    list_init(&interest->in_line);
    list_add_last(&epoll->interests, &interest->all);
    fd_watch_add(file_ops(file)->watchers(file), &interest->watch);
    interest_changed(&interest->watch);
    return 0;
}

/* held: mutex */
static int control(struct epoll *epoll, int op, int fd, struct file *file,
                   struct epoll_event *event)
{
    struct interest *interest = find(epoll, fd, file);
    bool enabled;

    if (op == EPOLL_CTL_ADD)
        return interest ? -EEXIST : add(epoll, fd, file, event);
    if (!interest)
        return -ENOENT;
    if (op == EPOLL_CTL_DEL) {
        if (fd_watch_remove(file_ops(file)->watchers(file), &interest->watch))
            interest_end(interest);
        return 0;
    }
    if (op != EPOLL_CTL_MOD)
        return -EINVAL;
    enabled = waitq_lock(&epoll->q);
    interest->event = *event;
    waitq_unlock(&epoll->q, enabled);
    interest_changed(&interest->watch);
    return 0;
}

int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    struct file *own = file_get(epfd), *file = file_get(fd);
    int rc = -EBADF;

    if (own && file)
        rc = file_ops(own) != &epoll_file_ops || own == file ? -EINVAL : 0;
    if (rc == 0 && !file_ops(file)->watchers)
        rc = -EPERM;
    if (rc == 0) {
        mutex_lock(&mutex);
        rc = control(file_data(own), op, fd, file, event);
        mutex_unlock(&mutex);
    }
    if (file)
        file_put(file);
    if (own)
        file_put(own);
    return (int)libc_result(rc);
}

static uint32_t events_of(unsigned int ready)
{
    return (ready & FD_READABLE ? EPOLLIN : 0) | (ready & FD_WRITABLE ? EPOLLOUT : 0) |
           (ready & FD_BROKEN ? EPOLLERR : 0) | (ready & FD_HUNG_UP ? EPOLLHUP : 0) |
           (ready & FD_ENDED ? EPOLLRDHUP : 0);
}

/* Those in the line that are ready; they stay in it unless told of changes only. held: q.lock */
static int collect(struct epoll *epoll, struct epoll_event *events, int max)
{
    struct list again = LIST_INIT(again), *first;
    int count = 0;

    while (count < max && (first = list_take_first(&epoll->line))) {
        struct interest *interest = list_entry(first, struct interest, in_line);
        uint32_t wanted = interest->event.events | EPOLLERR | EPOLLHUP;
        uint32_t got = events_of(file_ops(interest->file)->ready(interest->file)) & wanted;

        if (!got || (interest->event.events & ~(EPOLLET | EPOLLONESHOT)) == 0)
            continue;
        events[count] = interest->event;
        events[count++].events = got;
        if (interest->event.events & EPOLLONESHOT)
            interest->event.events &= EPOLLONESHOT | EPOLLET;
        else if (!(interest->event.events & EPOLLET))
            list_add_last(&again, first);
    }
    while ((first = list_take_first(&again)))
        list_add_last(&epoll->line, first);
    return count;
}

static int wait_until(int epfd, struct epoll_event *events, int max, uint64_t deadline_ns)
{
    struct file *file = file_get(epfd);
    struct epoll *epoll;
    int count = 0, rc = 0;
    bool enabled;

    if (!file || file_ops(file) != &epoll_file_ops || max <= 0) {
        rc = !file ? -EBADF : -EINVAL;
        if (file)
            file_put(file);
        return rc;
    }
    epoll = file_data(file);
    enabled = waitq_lock(&epoll->q);
    while ((count = collect(epoll, events, max)) == 0 && rc == 0)
        rc = deadline_ns ? waitq_sleep_interruptible(&epoll->q, deadline_ns) : -XEN_ETIMEDOUT;
    waitq_unlock(&epoll->q, enabled);
    file_put(file);
    return count == 0 && rc == -XEN_EINTR ? -EINTR : count;
}

int epoll_wait(int epfd, struct epoll_event *events, int max, int timeout_ms)
{
    uint64_t deadline_ns = TIME_NEVER;
    int rc;

    if (timeout_ms >= 0)
        deadline_ns = timeout_ms ? time_after_ns((uint64_t)timeout_ms * NS_PER_MS) : 0;
    if (pthread_testcancel)
        pthread_testcancel();
    do {
        rc = wait_until(epfd, events, max, deadline_ns);
    } while (rc == -EINTR && libc_interrupted_cancel_any && libc_interrupted_cancel_any() == 0);
    return (int)libc_result(rc);
}
