/* SPDX-License-Identifier: MIT
 *
 * The table of file descriptors.  It starts in the image, with the console as 0, 1 and 2, so that
 * output works before anything was allocated; beyond that it doubles from the kernel's heap.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "lib/spinlock.h"
#include "lib/types.h"
#include "libc/fd.h"
#include "mm/kmem.h"

struct file {
    const struct file_ops *ops;
    void *data;
    int flags;
    unsigned int refs;        /* descriptors and running operations; held: table_lock */
    unsigned int descriptors; /* held: table_lock */
    bool in_image;            /* not from kmem_alloc() */
};

#define FIRST_SIZE 8

static struct file console_file = {
    .ops = &console_file_ops, .flags = O_RDWR, .refs = 3, .descriptors = 3, .in_image = true
};
static struct file *first_table[FIRST_SIZE] = { &console_file, &console_file, &console_file };

static spinlock_t table_lock = SPINLOCK_INIT;
static struct file **table = first_table; /* held: table_lock */
static int table_size = FIRST_SIZE;       /* held: table_lock */

struct file *file_get(int fd)
{
    bool enabled = spin_lock_save(&table_lock);
    struct file *file = fd >= 0 && fd < table_size ? table[fd] : NULL;

    if (file)
        file->refs++;
    spin_unlock_restore(&table_lock, enabled);
    return file;
}

__attribute__((noinline)) void file_put(struct file *file)
{
    bool enabled = spin_lock_save(&table_lock);
    bool last = --file->refs == 0;

    spin_unlock_restore(&table_lock, enabled);
    if (!last)
        return;
    if (file->ops->close)
        file->ops->close(file);
    if (!file->in_image)
        kmem_free(file);
}

/* A descriptor of it, the last one or not, was taken out of the table. */
static __attribute__((noinline)) void let_go(struct file *file, bool last)
{
    if (last && file->ops->forsaken)
        file->ops->forsaken(file);
    file_put(file);
}

const struct file_ops *file_ops(const struct file *file)
{
    return file->ops;
}

void *file_data(const struct file *file)
{
    return file->data;
}

int file_flags(const struct file *file)
{
    return load_once(&file->flags);
}

void file_set_flags(struct file *file, int flags)
{
    store_once(&file->flags, flags);
}

/* Make the table long enough for descriptor `fd`. 0, -EMFILE or -ENOMEM. */
static int reserve(int fd)
{
    while (fd >= load_once(&table_size)) {
        struct file **larger, **unused;
        int old_size = load_once(&table_size), size = 2 * old_size;
        bool enabled;

        if (fd >= FD_LIMIT)
            return -EMFILE;
        larger = kmem_alloc(size * sizeof(*larger));
        if (!larger)
            return -ENOMEM;
        enabled = spin_lock_save(&table_lock);
        unused = larger; /* somebody else was quicker */
        if (table_size == old_size) {
            memcpy(larger, table, old_size * sizeof(*table));
            unused = table;
            table = larger;
            table_size = size;
        }
        spin_unlock_restore(&table_lock, enabled);
        if (unused != first_table)
            kmem_free(unused);
    }
    return 0;
}

/* Give `file` the lowest free descriptor from `fd` on. The caller's reference becomes the
 * descriptor's. */
static int install(struct file *file, int fd)
{
    for (;;) {
        bool enabled = spin_lock_save(&table_lock);
        int rc;

        while (fd < table_size && table[fd])
            fd++;
        if (fd < table_size) {
            table[fd] = file;
            file->descriptors++;
            spin_unlock_restore(&table_lock, enabled);
            return fd;
        }
        spin_unlock_restore(&table_lock, enabled);
        rc = reserve(fd);
        if (rc)
            return rc;
    }
}

int fd_open(const struct file_ops *ops, void *data, int flags)
{
    struct file *file = kmem_alloc(sizeof(*file));
    int fd;

    if (!file)
        return -ENOMEM;
    file->ops = ops;
    file->data = data;
    file->flags = flags;
    file->refs = 1;
    fd = install(file, 0);
    if (fd < 0)
        kmem_free(file);
    return fd;
}

int fd_ready(int fd)
{
    struct file *file = file_get(fd);
    unsigned int ready;

    if (!file)
        return -EBADF;
    ready = file->ops->ready ? file->ops->ready(file) : FD_READABLE | FD_WRITABLE;
    file_put(file);
    return (int)ready;
}

int fd_dup(int fd, int at_least)
{
    struct file *file = file_get(fd);
    int copy;

    if (!file)
        return -EBADF;
    copy = at_least < 0 || at_least >= FD_LIMIT ? -EINVAL : install(file, at_least);
    if (copy < 0)
        file_put(file);
    return copy;
}

int fd_dup2(int fd, int to)
{
    struct file *file, *before;
    bool enabled, last;
    int rc;

    if (to < 0 || to >= FD_LIMIT)
        return -EBADF;
    file = file_get(fd);
    if (!file)
        return -EBADF;
    rc = fd == to ? 0 : reserve(to);
    if (fd == to || rc) {
        file_put(file);
        return rc ? rc : to;
    }
    enabled = spin_lock_save(&table_lock);
    before = table[to];
    table[to] = file;
    file->descriptors++;
    last = before && --before->descriptors == 0;
    spin_unlock_restore(&table_lock, enabled);
    if (before)
        let_go(before, last);
    return to;
}

int fd_close(int fd)
{
    bool enabled = spin_lock_save(&table_lock);
    struct file *file = fd >= 0 && fd < table_size ? table[fd] : NULL;

    bool last = false;

    if (file) {
        table[fd] = NULL;
        last = --file->descriptors == 0;
    }
    spin_unlock_restore(&table_lock, enabled);
    if (!file)
        return -EBADF;
    let_go(file, last);
    return 0;
}
