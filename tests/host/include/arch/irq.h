/* SPDX-License-Identifier: MIT
 *
 * Masking upcalls on the host: tests/host/fake_cpu.c.
 */
#pragma once
#include <stdbool.h>
#include "lib/percpu.h"

void upcalls_disable(void);
/* Events that came while masked are delivered before this returns (with the fake kernel: soon
 * after, by the pthread that plays the vCPU's upcalls). */
void upcalls_enable(void);
bool upcalls_enabled(void);

static inline void upcalls_begin_masked(struct percpu *cpu)
{
    cpu->vcpu_info.evtchn_upcall_mask = 1;
}
