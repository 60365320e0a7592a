/* SPDX-License-Identifier: MIT
 *
 * <poll.h>: wait until one of several descriptors is ready.
 */
#ifndef _POLL_H
#define _POLL_H

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned long nfds_t;

struct pollfd {
    int fd; /* negative: not looked at */
    short events;
    short revents;
};

#define POLLIN     0x001
#define POLLPRI    0x002 /* never happens */
#define POLLOUT    0x004
#define POLLERR    0x008
#define POLLHUP    0x010
#define POLLNVAL   0x020
#define POLLRDNORM 0x040
#define POLLRDBAND 0x080
#define POLLWRNORM 0x100
#define POLLWRBAND 0x200

int poll(struct pollfd *, nfds_t, int);

#ifdef __cplusplus
}
#endif

#endif
