/* SPDX-License-Identifier: MIT
 *
 * <sys/utsname.h>: what this system is called.
 */
#ifndef _SYS_UTSNAME_H
#define _SYS_UTSNAME_H

#ifdef __cplusplus
extern "C" {
#endif

struct utsname {
    char sysname[32];
    char nodename[64]; /* the domain's name */
    char release[32];
    char version[64]; /* of Xen */
    char machine[32];
};

/* 0, or -1 and EFAULT for NULL. Asks xenstore for the name; without an answer it is "". */
int uname(struct utsname *);

#ifdef __cplusplus
}
#endif

#endif
