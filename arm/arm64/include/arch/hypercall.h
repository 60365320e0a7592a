/* SPDX-License-Identifier: MIT
 *
 * The one place a 64-bit ARM domain enters Xen.  Xen may destroy the registers of the arguments and
 * of the number, so each is in-out.  Follows Xen public/arch-arm.h.
 */
#pragma once

static inline long hypercall5(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
                              unsigned long a4, unsigned long a5)
{
    register unsigned long x0 asm("x0") = a1;
    register unsigned long x1 asm("x1") = a2;
    register unsigned long x2 asm("x2") = a3;
    register unsigned long x3 asm("x3") = a4;
    register unsigned long x4 asm("x4") = a5;
    register unsigned long x16 asm("x16") = nr;

    asm volatile("hvc #0xea1"
                 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x16)
                 :
                 : "memory");
    return (long)x0;
}
