/* SPDX-License-Identifier: MIT
 *
 * tools/bench/network.c as a Xenolith domain: the same source as the Linux domU's program.
 */
#include "tools/bench/network.c"
