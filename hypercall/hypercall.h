/* SPDX-License-Identifier: MIT
 *
 * From C arguments to the registers of a hypercall.  Only this folder's typed wrappers include it:
 * everybody else calls those.
 */
#pragma once
#include "arch/hypercall.h"

#define HC_ARG(x)                  ((unsigned long)(x))
#define hypercall1(nr, a)          hypercall5(nr, HC_ARG(a), 0, 0, 0, 0)
#define hypercall2(nr, a, b)       hypercall5(nr, HC_ARG(a), HC_ARG(b), 0, 0, 0)
#define hypercall3(nr, a, b, c)    hypercall5(nr, HC_ARG(a), HC_ARG(b), HC_ARG(c), 0, 0)
#define hypercall4(nr, a, b, c, d) hypercall5(nr, HC_ARG(a), HC_ARG(b), HC_ARG(c), HC_ARG(d), 0)
