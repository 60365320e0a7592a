/* SPDX-License-Identifier: MIT
 *
 * The one process there is: its number, signals it sends itself, its bad ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "console/console.h"
#include "arch/cpu.h"
#include "hypercall/vcpu.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/percpu.h"
#include "libc/fd.h"
#include "mm/page.h"

#define PROCESS_ID  1
#define ENTROPY_MAX 256 /* what getentropy() gives at once, says POSIX */

static char abort_reason[128] = "abort() called";

pid_t getpid(void)
{
    return PROCESS_ID;
}

/* newlib's raise() and abort() come here when the program has no handler. */
int kill(pid_t pid, int signal)
{
    if (pid != PROCESS_ID && pid != 0) {
        errno = ESRCH;
        return -1;
    }
    if (signal < 0 || signal >= NSIG) {
        errno = EINVAL;
        return -1;
    }
    if (signal == 0 || signal == SIGCHLD || signal == SIGURG || signal == SIGCONT)
        return 0;
    if (signal == SIGABRT)
        panic("%s", abort_reason);
    panic("killed by signal %d", signal);
}

/* newlib's own would bring a second printf along. */
void __assert_func(const char *file, int line, const char *function, const char *condition)
{
    char text[256];
    int len = format_text(text, sizeof(text), "%s:%d: %s%sassertion failed: %s\n", file, line,
                          function ? function : "", function ? "(): " : "", condition);

    console_write(text, MIN((size_t)len, sizeof(text) - 1));
    format_text(abort_reason, sizeof(abort_reason), "%s:%d: assertion failed: %s", file, line,
                condition);
    abort();
}

int getentropy(void *out, size_t len)
{
    char *at = out;

    if (len > ENTROPY_MAX || !cpu_random_is_strong()) {
        errno = len > ENTROPY_MAX ? EIO : ENOSYS;
        return -1;
    }
    while (len > 0) {
        uint64_t word = cpu_random();
        size_t part = MIN(len, sizeof(word));

        memcpy(at, &word, part);
        at += part;
        len -= part;
    }
    return 0;
}

static long count_vcpus(bool up)
{
    long count = 0;

    for (unsigned int vcpu = 0; vcpu < MAX_VCPUS; vcpu++) {
        int rc = hypercall_vcpu_is_up(vcpu);

        if (rc < 0)
            break;
        count += !up || rc == 1;
    }
    return count;
}

long sysconf(int name)
{
    struct page_stats pages;

    switch (name) {
    case _SC_PAGESIZE:
        return PAGE_SIZE;
    case _SC_OPEN_MAX:
        return FD_LIMIT;
    case _SC_CLK_TCK:
        return CLOCKS_PER_SEC;
    case _SC_NPROCESSORS_CONF:
        return count_vcpus(false);
    case _SC_NPROCESSORS_ONLN:
        return count_vcpus(true);
    case _SC_PHYS_PAGES:
        page_get_stats(&pages);
        return (long)pages.total;
    case _SC_AVPHYS_PAGES:
        page_get_stats(&pages);
        return (long)pages.free;
    default:
        errno = EINVAL;
        return -1;
    }
}
