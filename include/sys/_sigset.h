/* SPDX-License-Identifier: MIT
 *
 * A set of signals: bit n is signal n. newlib's has 32 bits on some CPUs, too few for the real-time
 * signals.
 */
#ifndef _SYS__SIGSET_H_
#define _SYS__SIGSET_H_

typedef unsigned long long __sigset_t;

#endif
