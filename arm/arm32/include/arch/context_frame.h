/* SPDX-License-Identifier: MIT
 *
 * What context_switch() leaves on the stack of a thread that is not running.
 */
#pragma once
#include <stdint.h>

struct context_frame {
    unsigned long fpscr, r[7]; /* r4 to r10 */
    unsigned long fp;          /* begins a backtrace */
    void (*pc)(void);
    uint64_t d[8]; /* d8 to d15 */
};
