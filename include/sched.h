/* SPDX-License-Identifier: MIT
 *
 * <sched.h>: newlib's, which declares the affinity calls where cpu_set_t is known.
 */
#include <sys/cpuset.h>
#include_next <sched.h>
