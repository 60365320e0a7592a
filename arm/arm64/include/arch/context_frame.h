/* SPDX-License-Identifier: MIT
 *
 * What context_switch() leaves on the stack of a thread that is not running.
 */
#pragma once
#include <stdint.h>

struct context_frame {
    unsigned long fp; /* begins a backtrace */
    void (*pc)(void);
    unsigned long x[10], d[8]; /* x19 to x28; d8 to d15 */
    unsigned long fpcr, pad;
};
