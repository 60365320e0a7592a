/* SPDX-License-Identifier: MIT
 *
 * For tests that share memory between processes in a few of their cases: they ask sysconf() first
 * and do without when it says no. Xenolith has no <sys/mman.h>; with these names such tests
 * compile, and driver/absent.c answers ENOSYS.
 */
#ifndef SUITES_SYS_MMAN_H
#define SUITES_SYS_MMAN_H
#include <sys/types.h>

#define PROT_READ  1
#define PROT_WRITE 2
#define MAP_SHARED 1
#define MAP_FAILED ((void *)-1)

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
int munmap(void *addr, size_t len);

#endif
