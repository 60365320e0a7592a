/* SPDX-License-Identifier: MIT
 *
 * Names of Xen's errors.
 */
#include <limits.h>
#include "lib/log.h"
#include "tests/host/test.h"

static const struct {
    long value;
    const char *name;
} xen_errors[] = {
#define XEN_ERRNO(name, value) { value, #name },
#include <xen/errno.h>
};

TEST(every_error_of_xen_has_its_name)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(xen_errors); i++) {
        const char *name = xen_errors[i].name;

        for (unsigned int j = 0; j < i; j++) /* an alias has the name that Xen lists first */
            if (xen_errors[j].value == xen_errors[i].value) {
                name = xen_errors[j].name;
                break;
            }
        CHECK_STR(error_name(xen_errors[i].value), name);
        CHECK_STR(error_name(-xen_errors[i].value), name);
    }
    CHECK_GT(ARRAY_SIZE(xen_errors), 40);
}

TEST(well_known_names)
{
    CHECK_STR(error_name(-2), "ENOENT");
    CHECK_STR(error_name(2), "ENOENT");
    CHECK_STR(error_name(-XEN_EAGAIN), "EAGAIN");
    CHECK_STR(error_name(-XEN_EWOULDBLOCK), "EAGAIN");
    CHECK_STR(error_name(-XEN_EDEADLOCK), "EDEADLK");
    CHECK_STR(error_name(-XEN_EADDRNOTAVAIL), "EADDRNOTAVAIL"); /* the longest, whole */
    CHECK_STR(error_name(-XEN_EPROTO), "EPROTO");
    CHECK_STR(error_name(XEN_ECONNRESET), "ECONNRESET");
}

TEST(unknown_is_said_so)
{
    static const long values[] = { 200, -200, 1L << 32 | 2, LONG_MAX, -LONG_MAX, LONG_MIN, 65538 };

    for (unsigned int i = 0; i < ARRAY_SIZE(values); i++)
        CHECK_STR(error_name(values[i]), "unknown error");
    CHECK_STR(error_name(0), "no error");
}
