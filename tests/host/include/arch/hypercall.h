/* SPDX-License-Identifier: MIT
 *
 * Entering Xen on the host: a call of the fake one.
 */
#pragma once

long fake_hypercall(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
                    unsigned long a4, unsigned long a5);

static inline long hypercall5(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
                              unsigned long a4, unsigned long a5)
{
    return fake_hypercall(nr, a1, a2, a3, a4, a5);
}
