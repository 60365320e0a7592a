/* SPDX-License-Identifier: MIT
 *
 * For newlib's <time.h>: how many ticks clock() and times() count in a second, as X/Open says.
 */
#ifndef _MACHTIME_H_
#define _MACHTIME_H_

#define _CLOCKS_PER_SEC_ 1000000

#endif
