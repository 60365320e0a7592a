/* SPDX-License-Identifier: MIT
 *
 * <sys/ioctl.h>: what can be asked of a descriptor.
 */
#ifndef _SYS_IOCTL_H
#define _SYS_IOCTL_H

#ifdef __cplusplus
extern "C" {
#endif

#define FIONREAD 0x541b /* int *: bytes that can be read now; of datagrams, the first one's */
#define FIONBIO  0x5421 /* int *: O_NONBLOCK on or off */

int ioctl(int, unsigned long, ...);

#ifdef __cplusplus
}
#endif

#endif
