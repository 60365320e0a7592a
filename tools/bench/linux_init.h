/* SPDX-License-Identifier: MIT
 *
 * What the programs share that are /init of a Linux domU.
 */
#pragma once
#include <stdint.h>

/* Mount /dev, load the modules in /modules, and set stdout up for the console. */
void linux_init(void);
/* Does not return. */
void linux_power_off(void);
/* A hypercall by /dev/xen/privcmd; negative with errno set if there is no such device. */
long linux_hypercall(uint64_t op, uint64_t a1, uint64_t a2, void *a3);
/* Is there one? */
int linux_has_hypercalls(void);
/* The time the vCPU has run: two of them may be compared. */
uint64_t linux_own_ns(unsigned int vcpu);
