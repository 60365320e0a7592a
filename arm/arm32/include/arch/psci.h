/* SPDX-License-Identifier: MIT
 *
 * PSCI, by which the firmware, here Xen, starts and stops vCPUs.  Follows Arm's DEN 0022.
 */
#pragma once

#define PSCI_CPU_OFF       0x84000002
#define PSCI_CPU_ON        0x84000003
#define PSCI_AFFINITY_INFO 0x84000004

#define PSCI_INVALID_PARAMETERS -2
#define PSCI_ALREADY_ON         -4

/* AFFINITY_INFO's answers. */
#define PSCI_IS_ON  0
#define PSCI_IS_OFF 1

#ifndef __ASSEMBLER__
static inline long psci_call(unsigned long function, unsigned long a1, unsigned long a2,
                             unsigned long a3)
{
    register unsigned long r0 asm("r0") = function;
    register unsigned long r1 asm("r1") = a1;
    register unsigned long r2 asm("r2") = a2;
    register unsigned long r3 asm("r3") = a3;

    asm volatile(".arch_extension virt\n\thvc #0"
                 : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
                 :
                 : "r12", "memory");
    return (long)r0;
}
#endif
