/* SPDX-License-Identifier: MIT
 *
 * select(), over poll().
 */
#include <poll.h>
#include <string.h>
#include <sys/select.h>
#include "kernel/time.h"
#include "libc/blocking.h"
#include "libc/fd.h"
#include "libc/poll.h"
#include "mm/kmem.h"

/* What select() asks of a descriptor in poll()'s terms, and back. */
static int fill(struct pollfd *fds, int limit, fd_set *in, fd_set *out, fd_set *except)
{
    int count = 0;

    for (int fd = 0; fd < limit; fd++) {
        short events = 0;

        if (in && FD_ISSET(fd, in))
            events |= POLLIN;
        if (out && FD_ISSET(fd, out))
            events |= POLLOUT;
        if (except && FD_ISSET(fd, except))
            events |= POLLPRI;
        if (events && fds)
            fds[count] = (struct pollfd){ .fd = fd, .events = events };
        count += events != 0;
    }
    return count;
}

int libc_select(int limit, fd_set *in, fd_set *out, fd_set *except, uint64_t deadline_ns)
{
    size_t bytes = (size_t)(limit + 63) / 64 * 8;
    struct pollfd *fds;
    int count, rc, found = 0;

    if (limit < 0 || limit > FD_LIMIT)
        return -EINVAL;
    count = fill(NULL, limit, in, out, except);
    fds = kmem_alloc((size_t)(count + 1) * sizeof(*fds));
    if (!fds)
        return -ENOMEM;
    fill(fds, limit, in, out, except);
    rc = libc_poll(fds, (nfds_t)count, deadline_ns);
    for (int i = 0; i < count && rc > 0; i++)
        if (fds[i].revents & POLLNVAL)
            rc = -EBADF;
    if (rc >= 0) {
        fd_set *sets[] = { in, out, except };

        for (int i = 0; i < 3; i++)
            if (sets[i])
                memset(sets[i], 0, bytes);
        for (int i = 0; i < count; i++) {
            short got = fds[i].revents, asked = fds[i].events;

            if (asked & POLLIN && got & (POLLIN | POLLERR | POLLHUP))
                FD_SET(fds[i].fd, in), found++;
            if (asked & POLLOUT && got & (POLLOUT | POLLERR))
                FD_SET(fds[i].fd, out), found++;
        }
        rc = found;
    }
    kmem_free(fds);
    return rc;
}

int select(int limit, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout)
{
    uint64_t deadline_ns = TIME_NEVER;

    if (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0))
        return (int)libc_result(-EINVAL);
    if (timeout)
        deadline_ns = timeout->tv_sec || timeout->tv_usec
                          ? time_after_ns((uint64_t)timeout->tv_sec * NS_PER_S +
                                          (uint64_t)timeout->tv_usec * NS_PER_US)
                          : 0;
    return (int)libc_result(libc_select(limit, in, out, except, deadline_ns));
}
