/* SPDX-License-Identifier: MIT
 *
 * What the device tree that Xen's toolstack makes for a domain says.  Nothing about it is believed:
 * what is missing or out of range is an error or left out.
 */
#pragma once
#include "boot/memory.h"
#include "lib/cmdline.h"

#define DEVICE_TREE_MAX (2UL << 20)

struct device_range {
    uint64_t start, size; /* 0: not there */
};

struct device_tree {
    struct memory memory; /* all RAM */
    char cmdline[CMDLINE_MAX];
    struct device_range initrd;
    struct device_range distributor; /* of the interrupt controller */
    struct device_range second;      /* version 2: CPU interface; 3: redistributors */
    unsigned int gic_version;
    struct device_range for_grants; /* physical addresses that are kept free for frames of others */
    unsigned int upcall_irq, timer_irq; /* private interrupts, 16 to 31 */
    uint32_t timer_frequency;           /* 0: not told */
    unsigned int nr_cpus;               /* vCPUs 0 to this, at least 1 */
};

/* The size that the header of a device tree tells, of which at least 8 bytes are there; 0: it is
 * none, or larger than DEVICE_TREE_MAX. */
size_t device_tree_size(const void *blob);
/* Fill *out, of which all is 0, from the `size` bytes at `blob` (a multiple of 8). 0; -XEN_EINVAL:
 * it is nonsense, or lacks what nobody can do without; the log says what. */
int device_tree_decode(const void *blob, size_t size, struct device_tree *out);
