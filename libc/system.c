/* SPDX-License-Identifier: MIT
 *
 * Small things of POSIX: the system's name, limits of paths, aligned memory.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "arch/cpu.h"
#include "lib/log.h"
#include "xenolith.h"

int uname(struct utsname *out)
{
    struct xenolith_info info;

    if (!out) {
        errno = EFAULT;
        return -1;
    }
    memset(&info, 0, sizeof(info));
    xenolith_get_info(&info);
    memset(out, 0, sizeof(*out));
    strcpy(out->sysname, "Xenolith");
    strcpy(out->release, "1");
    strcpy(out->machine, ARCH_NAME);
    format_text(out->nodename, sizeof(out->nodename), "%s", info.name);
    format_text(out->version, sizeof(out->version), "Xen %s", info.xen_version);
    return 0;
}

/* There are no files, but names have limits: those of semaphores. */
long pathconf(const char *path, int name)
{
    (void)path;
    if (name == _PC_NAME_MAX)
        return NAME_MAX;
    if (name == _PC_PATH_MAX)
        return PATH_MAX;
    errno = EINVAL;
    return -1;
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *block;
    int error = errno;

    if (alignment < sizeof(void *) || alignment & (alignment - 1))
        return EINVAL;
    block = memalign(alignment, size);
    errno = error;
    if (!block)
        return ENOMEM;
    *out = block;
    return 0;
}
