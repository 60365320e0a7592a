/* SPDX-License-Identifier: MIT
 *
 * What the program needs beyond POSIX is what bench-threads needs.
 */
#include "apps/bench-threads/system.c"
