/* SPDX-License-Identifier: MIT
 *
 * The domain's own time is taken as bench-threads takes it.
 */
#include "apps/bench-threads/system.c"
