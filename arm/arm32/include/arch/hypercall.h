/* SPDX-License-Identifier: MIT
 *
 * The one place a 32-bit ARM domain enters Xen.  Xen may destroy the registers of the arguments and
 * of the number, so each is in-out.  Follows Xen public/arch-arm.h.
 */
#pragma once

static inline long hypercall5(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
                              unsigned long a4, unsigned long a5)
{
    register unsigned long r0 asm("r0") = a1;
    register unsigned long r1 asm("r1") = a2;
    register unsigned long r2 asm("r2") = a3;
    register unsigned long r3 asm("r3") = a4;
    register unsigned long r4 asm("r4") = a5;
    register unsigned long r12 asm("r12") = nr;

    asm volatile(".arch_extension virt\n\thvc #0xea1"
                 : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r12)
                 :
                 : "memory");
    return (long)r0;
}
