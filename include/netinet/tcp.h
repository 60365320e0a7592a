/* SPDX-License-Identifier: MIT
 *
 * <netinet/tcp.h>: the options of TCP.
 */
#ifndef _NETINET_TCP_H
#define _NETINET_TCP_H

#define TCP_NODELAY   1
#define TCP_MAXSEG    2 /* to be read */
#define TCP_CORK      3
#define TCP_KEEPIDLE  4 /* seconds */
#define TCP_KEEPINTVL 5 /* seconds */
#define TCP_KEEPCNT   6
#define TCP_QUICKACK  12 /* no effect */
#define SOL_TCP       6

#endif
