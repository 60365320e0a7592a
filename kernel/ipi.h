/* SPDX-License-Identifier: MIT
 *
 * Interrupts from one of our vCPUs to another, as the CPU does it best: x86/ipi.c by event
 * channels, arm/ipi.c by the interrupt controller.
 */
#pragma once

enum ipi {
    IPI_KICK, /* look at your run queue */
    IPI_CALL, /* look at your calls, or stop */
    IPIS,
};

/* From now on `handler` is called on `vcpu` after an ipi_send(), once or, if several came
 * meanwhile, less often than they were sent; in an upcall. The handler of an `ipi` is the same on
 * all vCPUs. Once more does nothing. The vCPU is prepared for events; it need not run yet. Thread
 * context. 0 or -errno. */
int ipi_bind(unsigned int vcpu, enum ipi ipi, void (*handler)(void));
/* `vcpu` is bound, and runs: to one that has stopped it may be lost. Any context. 0 or -errno. */
int ipi_send(unsigned int vcpu, enum ipi ipi);
