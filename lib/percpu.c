/* SPDX-License-Identifier: MIT
 *
 * vCPU 0's percpu is there before any memory is, and the list of all.
 */
#include "lib/percpu.h"

struct percpu percpu_boot = { .self = &percpu_boot };
struct percpu *percpus[MAX_VCPUS] = { &percpu_boot };
