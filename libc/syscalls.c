/* SPDX-License-Identifier: MIT
 *
 * The calls newlib makes about files and memory, by their C names (newlib is configured without
 * system calls of its own).
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/types.h"
#include "libc/fd.h"
#include "mm/address_space.h"

/* `rc`, or errno = -rc and -1: newlib's numbers already, unlike error_return(). */
static long finish(long rc)
{
    if (rc >= 0)
        return rc;
    errno = -rc;
    return -1;
}

/* Only in programs that have signals or cancellation. */
__attribute__((weak)) void pthread_testcancel(void);
__attribute__((weak)) int libc_interrupted_cancel(void);
__attribute__((weak)) int libc_interrupted(void);

/* One attempt to read or to write. */
static ssize_t attempt(int fd, void *bytes, size_t len, bool write)
{
    struct file *file = file_get(fd);
    ssize_t rc = -EBADF;

    if (!file)
        return rc;
    len = MIN(len, (size_t)INT32_MAX);
    if ((file_flags(file) & O_ACCMODE) == (write ? O_RDONLY : O_WRONLY))
        ;
    else if (write && file_ops(file)->write)
        rc = file_ops(file)->write(file, bytes, len);
    else if (!write && file_ops(file)->read)
        rc = file_ops(file)->read(file, bytes, len);
    file_put(file);
    return rc;
}

/* A cancellation point; write() is none, because printf() calls it with the stream locked. */
_READ_WRITE_RETURN_TYPE read(int fd, void *out, size_t len)
{
    ssize_t rc;

    if (pthread_testcancel)
        pthread_testcancel();
    do {
        rc = attempt(fd, out, len, false);
    } while (rc == -EINTR && libc_interrupted_cancel && libc_interrupted_cancel() == 0);
    return finish(rc);
}

_READ_WRITE_RETURN_TYPE write(int fd, const void *data, size_t len)
{
    ssize_t rc;

    do {
        rc = attempt(fd, (void *)data, len, true);
    } while (rc == -EINTR && libc_interrupted && libc_interrupted() == 0);
    return finish(rc);
}

int close(int fd)
{
    return finish(fd_close(fd));
}

int dup(int fd)
{
    return finish(fd_dup(fd, 0));
}

int dup2(int fd, int to)
{
    return finish(fd_dup2(fd, to));
}

int fcntl(int fd, int command, ...)
{
    struct file *file = file_get(fd);
    va_list args;
    int arg, rc = -EINVAL;

    if (!file)
        return finish(-EBADF);
    va_start(args, command);
    if (command == F_GETFL) {
        rc = file_flags(file);
    } else if (command == F_SETFL) {
        arg = va_arg(args, int);
        file_set_flags(file, (file_flags(file) & ~O_NONBLOCK) | (arg & O_NONBLOCK));
        rc = 0;
    } else if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
        arg = va_arg(args, int);
        rc = fd_dup(fd, arg);
    } else if (command == F_GETFD || command == F_SETFD) {
        rc = 0; /* FD_CLOEXEC: nothing is ever executed */
    }
    va_end(args);
    file_put(file);
    return finish(rc);
}

int ioctl(int fd, unsigned long request, ...)
{
    struct file *file = file_get(fd);
    va_list args;
    void *arg;
    int rc = -ENOTTY;

    if (!file)
        return finish(-EBADF);
    va_start(args, request);
    arg = va_arg(args, void *);
    va_end(args);
    if (request == FIONBIO) {
        file_set_flags(file, (file_flags(file) & ~O_NONBLOCK) | (*(int *)arg ? O_NONBLOCK : 0));
        rc = 0;
    } else if (file_ops(file)->ioctl) {
        rc = file_ops(file)->ioctl(file, request, arg);
    }
    file_put(file);
    return finish(rc);
}

int fstat(int fd, struct stat *st)
{
    struct file *file = file_get(fd);
    int rc = 0;

    if (!file)
        return finish(-EBADF);
    memset(st, 0, sizeof(*st));
    if (file_ops(file)->stat)
        rc = file_ops(file)->stat(file, st);
    file_put(file);
    return finish(rc);
}

int isatty(int fd)
{
    struct file *file = file_get(fd);
    bool terminal;

    if (!file) {
        errno = EBADF;
        return 0;
    }
    terminal = file_ops(file)->terminal;
    file_put(file);
    if (!terminal)
        errno = ENOTTY;
    return terminal;
}

off_t lseek(int fd, off_t offset, int whence)
{
    struct file *file = file_get(fd);
    off_t rc = -EBADF;

    if (file) {
        rc = file_ops(file)->seek ? file_ops(file)->seek(file, offset, whence) : -ESPIPE;
        file_put(file);
    }
    return finish(rc);
}

/* malloc asks here with its lock held; the lock is recursive. */
void *sbrk(ptrdiff_t increment)
{
    void *before;

    __malloc_lock(NULL);
    before = heap_grow(increment);
    __malloc_unlock(NULL);
    if (before)
        return before;
    errno = ENOMEM;
    return (void *)-1;
}
