/* SPDX-License-Identifier: MIT
 *
 * The names of Xen's errors, from Xen's own list (public/errno.h) and our additions to it.
 */
#include "lib/log.h"

static const struct {
    short value;
    const char name[14];
} names[] = {
    { XEN_EPROTO, "EPROTO" },
    { XEN_ECONNRESET, "ECONNRESET" },
#define XEN_ERRNO(name, value) { value, #name },
#include <xen/errno.h>
};

const char *error_name(long error)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].value == error || -names[i].value == error)
            return names[i].name;
    return error ? "unknown error" : "no error";
}
