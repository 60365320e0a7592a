/* SPDX-License-Identifier: MIT
 *
 * What a CPU does for the interrupts of a PCI bus's devices.  On x86 there is such a bus in an HVM
 * domain only (x86/hvm/interrupt.c).
 */
#pragma once

struct pci_interrupt {
    void (*fn)(void *arg); /* in an upcall of vCPU 0; notes and wakes, nothing more */
    void *arg;
    struct pci_interrupt *next; /* the rest is arch/'s */
};

/* Have interrupt->fn() called whenever the device raises its pin (1: INTA), which it has not done
 * yet, and perhaps when another device did. Only when: while it keeps the pin raised there is no
 * other call. For ever. 0, -XEN_ENODEV: there is nothing to bring its interrupts, or -errno of an
 * event channel. Thread context, one at a time. */
int arch_pci_interrupt(unsigned int device, unsigned int pin, struct pci_interrupt *interrupt);
