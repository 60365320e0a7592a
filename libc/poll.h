/* SPDX-License-Identifier: MIT
 *
 * Between poll(), select() and pselect().  Deadlines are monotonic; 0: do not wait.
 */
#pragma once
#include <poll.h>
#include <sys/select.h>
#include "lib/types.h"

/* How many have something to say, or a negative errno. A handler of any kind ends it: -EINTR. */
int libc_poll(struct pollfd *fds, nfds_t count, uint64_t deadline_ns);
/* What select() returns, or a negative errno. */
int libc_select(int limit, fd_set *in, fd_set *out, fd_set *except, uint64_t deadline_ns);
