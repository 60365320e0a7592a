/* SPDX-License-Identifier: MIT
 *
 * Walking through the pieces of memory that a program names for one message.
 */
#pragma once
#include <sys/uio.h>
#include "lib/types.h"
#include "net/bytes.h"

struct iov_cursor {
    const struct iovec *part;
    size_t offset; /* in part[0] */
    size_t left;   /* in all */
};

static inline struct iov_cursor iov_begin(const struct iovec *parts, size_t count)
{
    struct iov_cursor cursor = { parts, 0, 0 };

    for (size_t i = 0; i < count; i++)
        cursor.left += parts[i].iov_len;
    return cursor;
}

static inline size_t iov_left(const struct iov_cursor *cursor)
{
    return cursor->left;
}

/* The next bytes in one piece, at most *len; *len says how many, and they are passed. */
static inline void *iov_next(struct iov_cursor *cursor, size_t *len)
{
    void *at;

    while (cursor->offset == cursor->part->iov_len) {
        cursor->part++;
        cursor->offset = 0;
    }
    *len = MIN(*len, cursor->part->iov_len - cursor->offset);
    at = (char *)cursor->part->iov_base + cursor->offset;
    cursor->offset += *len;
    cursor->left -= *len;
    return at;
}

/* Copy `len` bytes, at most what is left: from the program, and to it. */
static inline void iov_copy_out(struct iov_cursor *cursor, void *to, size_t len)
{
    for (size_t n; len; to = (char *)to + n, len -= n) {
        const void *from;

        n = len;
        from = iov_next(cursor, &n);
        net_copy(to, from, n);
    }
}

static inline void iov_copy_in(struct iov_cursor *cursor, const void *from, size_t len)
{
    for (size_t n; len; from = (const char *)from + n, len -= n) {
        void *to;

        n = len;
        to = iov_next(cursor, &n);
        net_copy(to, from, n);
    }
}
