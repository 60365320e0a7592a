/* SPDX-License-Identifier: MIT
 *
 * Masking upcalls on the running vCPU: upcalls_disable(), upcalls_enable(), upcalls_enabled() are
 * the CPU's, and nest by upcalls_save() and upcalls_restore().
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/version.h>
#include "lib/percpu.h"
#include "arch/irq.h"

/* Mask; returns what upcalls_restore() wants. */
static inline bool upcalls_save(void)
{
    bool enabled = upcalls_enabled();

    upcalls_disable();
    return enabled;
}

static inline void upcalls_restore(bool enabled)
{
    if (enabled)
        upcalls_enable();
}
