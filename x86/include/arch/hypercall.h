/* SPDX-License-Identifier: MIT
 *
 * The one place x86 enters Xen.  A PV guest uses SYSCALL inline: the hypercall page is not relied
 * on.  Xen may destroy the registers of the arguments, so each is in-out; SYSCALL itself destroys
 * rcx and r11.  Follows Xen docs/guest-guide/x86/hypercall-abi.rst.
 */
#pragma once

static inline long hypercall5(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
                              unsigned long a4, unsigned long a5)
{
    register unsigned long r10 asm("r10") = a4;
    register unsigned long r8 asm("r8") = a5;
    long ret = nr;

    asm volatile("syscall"
                 : "+a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                 :
                 : "rcx", "r11", "memory");
    return ret;
}
