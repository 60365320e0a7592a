/* SPDX-License-Identifier: MIT
 *
 * The PCI bus of an HVM domain: who is on it, and what a driver has to set up before it can talk to
 * a device.  There is bus 0 only, as Xen's device model has no other.  What devices say of
 * themselves is judged.  Follows the PCI Local Bus Specification, 3.0.
 */
#pragma once
#include "arch/pci.h"
#include "lib/types.h"

struct pci_device {
    uint8_t device, function;
    uint8_t revision, pin; /* pin: of its interrupt, 1 for INTA; 0: it has none */
    uint16_t vendor, id;
    uint32_t class_code; /* class, subclass, programming interface: 24 bits */
};

#define PCI_CLASS_ETHERNET 0x0200 /* class_code >> 8 */

/* Call `fn` for each function of each device. Not in a PV domain, where its ports fault; where
 * there is no bus, nobody is found. Thread context (all of these). */
void pci_scan(void (*fn)(const struct pci_device *device, void *arg), void *arg);
/* The I/O ports of base address register `bar` (0..5), at least `len` of them, in *port. 0;
 * -XEN_ENODEV: the register is not for ports, or the firmware gave it none; -XEN_EINVAL: what it
 * says makes no sense, which the log says. */
int pci_io_ports(const struct pci_device *device, unsigned int bar, unsigned int len,
                 uint16_t *port);
/* From now on the device answers at its ports, reads and writes memory, and may raise its pin. */
void pci_enable(const struct pci_device *device);
/* And no longer. */
void pci_disable(const struct pci_device *device);
/* arch_pci_interrupt() of this device. */
int pci_interrupt(const struct pci_device *device, struct pci_interrupt *interrupt);
