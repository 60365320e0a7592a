/* SPDX-License-Identifier: MIT
 *
 * <sys/select.h>: newlib's, with sets as large as on other systems.
 */
#ifndef XENOLITH_SYS_SELECT_H
#define XENOLITH_SYS_SELECT_H

#ifndef FD_SETSIZE
#define FD_SETSIZE 1024
#endif

#include_next <sys/select.h>

#endif
