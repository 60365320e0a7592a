/* SPDX-License-Identifier: MIT
 *
 * <sys/stat.h>: newlib's, and what it has for some systems only.
 */
#ifndef _XENOLITH_SYS_STAT_H
#define _XENOLITH_SYS_STAT_H

#include_next <sys/stat.h>

#ifdef __cplusplus
extern "C" {
#endif

int lstat(const char *__restrict, struct stat *__restrict);

#ifdef __cplusplus
}
#endif

#endif
