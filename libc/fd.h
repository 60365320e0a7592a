/* SPDX-License-Identifier: MIT
 *
 * File descriptors: small numbers for open files.  A file is whatever brings a struct file_ops:
 * the console here, files in libc/files.c, sockets in net/.
 *
 * Everything here is thread context.  Errors are negative newlib numbers (<errno.h>), because that
 * is what the operations of a socket speak.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "lib/list.h"
#include "lib/spinlock.h"

#define FD_LIMIT 4096 /* descriptors at once; the table grows up to here as they are used */

struct file;
struct iovec;
struct stat;

/* What fd_ready() and file_ops.ready() answer. */
#define FD_READABLE 1u  /* a read would not wait (also at end of input) */
#define FD_WRITABLE 2u  /* a write would not wait for long */
#define FD_BROKEN   4u  /* a read or a write would fail */
#define FD_ENDED    8u  /* the other side sends no more */
#define FD_HUNG_UP  16u /* nothing goes either way any more */

/* Somebody who wants to know when ready() may have more to say: libc/poll.c, libc/epoll.c. */
struct fd_watch {
    struct list link; /* held: the watchers' lock */
    /* Notes and wakes; that lock is held. */
    void (*changed)(struct fd_watch *watch);
    /* The file is closed; the watch is in no list any more. Thread context, no lock held. */
    void (*gone)(struct fd_watch *watch);
};
/* A file's watches. */
struct fd_watchers {
    spinlock_t lock;
    struct list watches; /* held: lock */
};
void fd_watchers_init(struct fd_watchers *watchers);
/* For the file: what ready() says was changed before. Any context. */
void fd_watchers_changed(struct fd_watchers *watchers);
/* For the file, in its close(). Thread context. */
void fd_watchers_close(struct fd_watchers *watchers);
void fd_watch_add(struct fd_watchers *watchers, struct fd_watch *watch);
/* False: it is gone, or going. */
bool fd_watch_remove(struct fd_watchers *watchers, struct fd_watch *watch);

/* A NULL function means that this file cannot do it. */
struct file_ops {
    /* Bytes moved, 0 at the end of input, or a negative errno; -EAGAIN when it would wait and
     * file_flags() has O_NONBLOCK, -EINTR when the thread was interrupted. */
    ssize_t (*read)(struct file *file, void *out, size_t len);
    ssize_t (*write)(struct file *file, const void *data, size_t len);
    /* The same, from and to several places; without these the others are called for each. */
    ssize_t (*readv)(struct file *file, const struct iovec *parts, int count);
    ssize_t (*writev)(struct file *file, const struct iovec *parts, int count);
    unsigned int (*ready)(struct file *file);
    /* Who is told when ready() changes; without it they look again from time to time. */
    struct fd_watchers *(*watchers)(struct file *file);
    /* 0 or a negative errno; -ENOTTY for a request that it does not know. */
    int (*ioctl)(struct file *file, unsigned long request, void *arg);
    /* Where the next read begins, moved; or a negative errno. Without it: -ESPIPE. */
    off_t (*seek)(struct file *file, off_t offset, int whence);
    /* st_mode and what else it knows; *st is zeroed. */
    int (*stat)(struct file *file, struct stat *st);
    /* The last descriptor is gone: those who are in an operation shall come out of it. */
    void (*forsaken)(struct file *file);
    /* The last descriptor is gone and nobody is in an operation: free file_data(). */
    void (*close)(struct file *file);
    bool terminal;
};

/* A new file on the lowest free descriptor. `flags`: O_RDONLY, O_WRONLY or O_RDWR, and
 * O_NONBLOCK. The descriptor, or -EMFILE or -ENOMEM (`data` stays the caller's then). */
int fd_open(const struct file_ops *ops, void *data, int flags);

/* The file of `fd`, not closed before the matching file_put(); NULL when fd is not open. */
struct file *file_get(int fd);
void file_put(struct file *file);
const struct file_ops *file_ops(const struct file *file);
void *file_data(const struct file *file);
int file_flags(const struct file *file);
void file_set_flags(struct file *file, int flags);

/* FD_* bits, or -EBADF. */
int fd_ready(int fd);
/* The lowest free descriptor >= `at_least` for the file of `fd`; -EBADF, -EINVAL, -EMFILE, -ENOMEM.
 */
int fd_dup(int fd, int at_least);
/* `to` for the file of `fd`; what was open there is closed. */
int fd_dup2(int fd, int to);
/* 0 or -EBADF. A thread that is inside an operation on it finishes that first. */
int fd_close(int fd);

/* The console's operations: libc/console.c. */
extern const struct file_ops console_file_ops;
