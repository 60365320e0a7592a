/* SPDX-License-Identifier: MIT
 *
 * The first program: says hello, then what it knows of the domain that it is.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "xenolith.h"

#define MIB (1024.0 * 1024.0)

int main(int argc, char **argv)
{
    struct xenolith_info info;
    struct tm tm;
    time_t now;
    int rc;

    printf("Hello\n");
    for (int i = 0; i < argc; i++)
        printf("argv[%d]: %s\n", i, argv[i]);

    rc = xenolith_get_info(&info);
    if (rc)
        printf("xenstore: %s\n", error_name(rc));
    printf("domain:   %u %s %s\n", info.domid, info.name, info.uuid);
    printf("guest:    %s on Xen %s\n", info.guest_type, info.xen_version);
    printf("vCPUs:    %u, %u up\n", info.vcpus, info.vcpus_up);
    printf("memory:   %.1f MiB, %.1f MiB free\n", info.memory / MIB, info.memory_free / MIB);
    now = time(NULL);
    gmtime_r(&now, &tm); /* asctime() would bring a second printf into the image */
    printf("time:     %04d-%02d-%02d %02d:%02d:%02d UTC\n", tm.tm_year + 1900, tm.tm_mon + 1,
           tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return 0;
}
