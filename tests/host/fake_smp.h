/* SPDX-License-Identifier: MIT
 *
 * A kernel/smp.h whose vCPUs only come and go: vcpus_online says which did.
 */
#pragma once

struct fake_smp {
    unsigned int vcpus;      /* that the domain may have */
    int error;               /* what coming and going ends with; 0: it works */
    unsigned int ups, downs; /* tries */
};
extern struct fake_smp fake_smp;
