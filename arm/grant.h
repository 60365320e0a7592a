/* SPDX-License-Identifier: MIT
 *
 * Where Xen's and others' frames come to lie: in the region of physical addresses that the device
 * tree's hypervisor node keeps free.
 */
#pragma once
#include "lib/types.h"

/* Boot. Its first page is shared_info's; the rest is for arch/grant.h. */
void arm_grant_init(uint64_t start, uint64_t size);
