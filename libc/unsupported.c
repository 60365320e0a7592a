/* SPDX-License-Identifier: MIT
 *
 * What a domain with one process does not have.  The names are there because newlib refers to them;
 * each says ENOSYS.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static int unsupported(void)
{
    errno = ENOSYS;
    return -1;
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
