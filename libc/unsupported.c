/* SPDX-License-Identifier: MIT
 *
 * What a domain with one process and no file system does not have.  The names are there because
 * newlib refers to them; each says ENOSYS.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static int unsupported(void)
{
    errno = ENOSYS;
    return -1;
}

int open(const char *path, int flags, ...)
{
    (void)path, (void)flags;
    return unsupported();
}

int stat(const char *restrict path, struct stat *restrict st)
{
    (void)path, (void)st;
    return unsupported();
}

int link(const char *from, const char *to)
{
    (void)from, (void)to;
    return unsupported();
}

int unlink(const char *path)
{
    (void)path;
    return unsupported();
}

int mkdir(const char *path, mode_t mode)
{
    (void)path, (void)mode;
    return unsupported();
}

int access(const char *path, int mode)
{
    (void)path, (void)mode;
    return unsupported();
}

int pipe(int fds[2])
{
    (void)fds;
    return unsupported();
}

int fork(void)
{
    return unsupported();
}

int execve(const char *path, char *const argv[], char *const environ[])
{
    (void)path, (void)argv, (void)environ;
    return unsupported();
}

pid_t wait(int *status)
{
    (void)status;
    return unsupported();
}
