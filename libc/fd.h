/* SPDX-License-Identifier: MIT
 *
 * File descriptors: small numbers for open files.  A file is whatever brings a struct file_ops:
 * the console here, sockets in net/.  There is no file system; open() says ENOSYS.
 *
 * Everything here is thread context.  Errors are negative newlib numbers (<errno.h>), because that
 * is what the operations of a socket speak.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define FD_LIMIT 4096 /* descriptors at once; the table grows up to here as they are used */

struct file;
struct stat;

/* What fd_ready() and file_ops.ready() answer. */
#define FD_READABLE 1u /* a read would not wait (also at end of input) */
#define FD_WRITABLE 2u /* a write would not wait for long */
#define FD_BROKEN   4u /* a read or a write would fail */

/* A NULL function means that this file cannot do it. */
struct file_ops {
    /* Bytes moved, 0 at the end of input, or a negative errno; -EAGAIN when it would wait and
     * file_flags() has O_NONBLOCK, -EINTR when the thread was interrupted. */
    ssize_t (*read)(struct file *file, void *out, size_t len);
    ssize_t (*write)(struct file *file, const void *data, size_t len);
    unsigned int (*ready)(struct file *file);
    /* st_mode and what else it knows; *st is zeroed. */
    int (*stat)(struct file *file, struct stat *st);
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
