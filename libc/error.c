/* SPDX-License-Identifier: MIT
 *
 * Xen errno to newlib errno, by name.  Follows Xen public/errno.h; the two that Xen does not use
 * itself are lib/types.h's.
 */
#include <errno.h>
#include <xen/errno.h>
#include "lib/types.h"
#include "libc/error.h"

/* Above 34, the numbers on which the two disagree. */
static const struct {
    uint8_t xen, newlib;
} differing[] = {
    { XEN_EDEADLK, EDEADLK },       { XEN_ENAMETOOLONG, ENAMETOOLONG },
    { XEN_ENOLCK, ENOLCK },         { XEN_ENOSYS, ENOSYS },
    { XEN_ENOTEMPTY, ENOTEMPTY },   { XEN_ENODATA, ENODATA },
    { XEN_ETIME, ETIME },           { XEN_EPROTO, EPROTO },
    { XEN_EBADMSG, EBADMSG },       { XEN_EOVERFLOW, EOVERFLOW },
    { XEN_EILSEQ, EILSEQ },         { XEN_ENOTSOCK, ENOTSOCK },
    { XEN_EMSGSIZE, EMSGSIZE },     { XEN_EOPNOTSUPP, EOPNOTSUPP },
    { XEN_EADDRINUSE, EADDRINUSE }, { XEN_EADDRNOTAVAIL, EADDRNOTAVAIL },
    { XEN_ENOBUFS, ENOBUFS },       { XEN_ECONNRESET, ECONNRESET },
    { XEN_EISCONN, EISCONN },       { XEN_ENOTCONN, ENOTCONN },
    { XEN_ETIMEDOUT, ETIMEDOUT },   { XEN_ECONNREFUSED, ECONNREFUSED },
};

_Static_assert(XEN_ERANGE == ERANGE && XEN_EPERM == EPERM, "the common part is common");

int error_from_xen(long error)
{
    unsigned long number = error < 0 ? -(unsigned long)error : (unsigned long)error;

    if (number <= XEN_ERANGE)
        return (int)number;
    for (size_t i = 0; i < ARRAY_SIZE(differing); i++) {
        if (differing[i].xen == number)
            return differing[i].newlib;
    }
    return EIO;
}

long error_return(long rc)
{
    if (rc >= 0)
        return rc;
    errno = error_from_xen(rc);
    return -1;
}
