/* SPDX-License-Identifier: MIT
 *
 * The console as an open file: descriptors 0, 1 and 2.  Output gets a carriage return from
 * nobody here: the toolstack's terminal does that.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include "console/console.h"
#include "libc/error.h"
#include "libc/fd.h"

static ssize_t console_file_read(struct file *file, void *out, size_t len)
{
    bool wait = !(file_flags(file) & O_NONBLOCK);
    long got;

    if (len == 0)
        return 0;
    got = console_read(out, len, wait ? TIME_NEVER : 0);
    if (got == -XEN_ETIMEDOUT)
        return -EAGAIN;
    return got < 0 ? -error_from_xen(got) : got;
}

static ssize_t console_file_write(struct file *file, const void *data, size_t len)
{
    (void)file;
    console_write(data, len);
    return (ssize_t)len;
}

static unsigned int console_file_ready(struct file *file)
{
    (void)file;
    return console_readable() ? FD_READABLE | FD_WRITABLE : FD_WRITABLE;
}

static int console_file_stat(struct file *file, struct stat *st)
{
    (void)file;
    st->st_mode = S_IFCHR | 0600;
    return 0;
}

const struct file_ops console_file_ops = {
    .read = console_file_read,
    .write = console_file_write,
    .ready = console_file_ready,
    .stat = console_file_stat,
    .terminal = true,
};
