/* SPDX-License-Identifier: MIT
 *
 * Masking upcalls on the host: tests/host/fake_cpu.c.
 */
#pragma once
#include "hypercall/version.h"
#include "lib/percpu.h"

void upcalls_disable(void);
/* Events that came while masked are delivered before this returns (with the fake kernel: soon after, by
 * the pthread that plays the vCPU's upcalls). */
void upcalls_enable(void);
bool upcalls_enabled(void);

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
