/* SPDX-License-Identifier: MIT
 *
 * From Xen's error numbers, which the kernel hands up as negative ints, to newlib's errno, which
 * programs see.  The two agree up to 34 and nowhere above.
 */
#pragma once

/* newlib's number (positive) for a Xen error of either sign; EIO for one that newlib has no name
 * for. Any context. */
int error_from_xen(long error);

/* What a libc call returns: `rc` itself when it is not negative, else errno = newlib's number for
 * it and -1. Thread context. */
long error_return(long rc);
