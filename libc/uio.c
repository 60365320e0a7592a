/* SPDX-License-Identifier: MIT
 *
 * readv() and writev(): cancellation points, as read() is.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>
#include "libc/blocking.h"
#include "libc/fd.h"

static ssize_t one_by_one(struct file *file, const struct iovec *parts, int count, bool out)
{
    const struct file_ops *ops = file_ops(file);
    ssize_t done = 0;

    for (int i = 0; i < count; i++) {
        ssize_t rc = out ? ops->write(file, parts[i].iov_base, parts[i].iov_len)
                         : ops->read(file, parts[i].iov_base, parts[i].iov_len);

        if (rc < 0)
            return done ? done : rc;
        done += rc;
        if ((size_t)rc < parts[i].iov_len)
            break;
    }
    return done;
}

static ssize_t transfer(int fd, const struct iovec *parts, int count, bool out)
{
    struct file *file = file_get(fd);
    int mode = out ? O_RDONLY : O_WRONLY;
    ssize_t rc = -EBADF;

    if (!file)
        return rc;
    if (count < 0 || count > UIO_MAXIOV)
        rc = -EINVAL;
    else if ((file_flags(file) & O_ACCMODE) == mode)
        rc = -EBADF;
    else if (out ? file_ops(file)->writev != NULL : file_ops(file)->readv != NULL)
        rc = out ? file_ops(file)->writev(file, parts, count)
                 : file_ops(file)->readv(file, parts, count);
    else if (out ? file_ops(file)->write != NULL : file_ops(file)->read != NULL)
        rc = one_by_one(file, parts, count, out);
    file_put(file);
    return rc;
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
    return BLOCKING(transfer(fd, parts, count, false));
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return BLOCKING(transfer(fd, parts, count, true));
}
