/* SPDX-License-Identifier: MIT
 *
 * tools/bench/parallel.c as a part of a Xenolith domain.
 */
#include "tools/bench/parallel.c"
