/* SPDX-License-Identifier: MIT
 *
 * What the test programs refer to, behind a question to sysconf() or in cases that are for other
 * systems, and a domain does not have. Weak: a function that the C library has is the C library's.
 */
#include <errno.h>
#include <sys/types.h>

#define ABSENT(type, name, parameters)                                                             \
    type name parameters;                                                                          \
    __attribute__((weak)) type name parameters                                                     \
    {                                                                                              \
        errno = ENOSYS;                                                                            \
        return (type)-1;                                                                           \
    }

ABSENT(void *, mmap, (void *a, size_t b, int c, int d, int e, off_t f))
ABSENT(int, munmap, (void *a, size_t b))
ABSENT(int, ftruncate, (int a, off_t b))
ABSENT(int, mkstemp, (char *a))
ABSENT(pid_t, waitpid, (pid_t a, int *b, int c))
