/* SPDX-License-Identifier: MIT
 *
 * Does every vCPU have PAN on (Privileged Access Never), if there is such a thing on this CPU? Says
 * what it found, and exit(1) if not.
 */
#include <stdio.h>
#include "arm/arm64/regs.h"
#include "kernel/smp.h"

#define VCPUS           64
#define MMFR1_PAN_SHIFT 20
#define PSTATE_PAN      (1UL << 22)

static struct look {
    bool taken, offered, on;
} looks[VCPUS];

static void look(void *unused)
{
    struct look *look = &looks[this_percpu()->vcpu];

    (void)unused;
    look->offered = READ_SYSREG(id_aa64mmfr1_el1) >> MMFR1_PAN_SHIFT & 15;
    /* PAN, by its number: an assembler for ARMv8.0 does not know the name. */
    look->on = look->offered && READ_SYSREG(s3_0_c4_c2_3) & PSTATE_PAN;
    look->taken = true;
}

int main(void)
{
    unsigned int off = 0;

    smp_call_all(look, NULL, true);
    for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++) {
        if (!looks[vcpu].taken)
            continue;
        off += looks[vcpu].offered && !looks[vcpu].on;
        printf("vCPU %u: PAN %s\n", vcpu,
               looks[vcpu].on        ? "on"
               : looks[vcpu].offered ? "off"
                                     : "not there");
    }
    return off != 0;
}
