/* SPDX-License-Identifier: MIT
 *
 * PSCI, by which the firmware, here Xen, starts and stops vCPUs.  Follows Arm's DEN 0022.
 */
#pragma once

#define PSCI_CPU_OFF       0x84000002
#define PSCI_AFFINITY_INFO 0xc4000004
#define PSCI_CPU_ON        0xc4000003

#define PSCI_INVALID_PARAMETERS -2
#define PSCI_ALREADY_ON         -4

/* AFFINITY_INFO's answers. */
#define PSCI_IS_ON  0
#define PSCI_IS_OFF 1

#ifndef __ASSEMBLER__
static inline long psci_call(unsigned long function, unsigned long a1, unsigned long a2,
                             unsigned long a3)
{
    register unsigned long x0 asm("x0") = function;
    register unsigned long x1 asm("x1") = a1;
    register unsigned long x2 asm("x2") = a2;
    register unsigned long x3 asm("x3") = a3;

    asm volatile("hvc #0"
                 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
                 :
                 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
                   "x16", "x17", "memory");
    return (int)x0;
}
#endif
