/* SPDX-License-Identifier: MIT
 *
 * Frames of the grant table and of other domains, on the host: those of a PV domain (fake_guest.c).
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>

int arch_grant_map_frame(void *virt, unsigned int index);
int arch_grant_prepare(void *virt, domid_t domid);
uint64_t arch_grant_host_addr(const void *virt);
void arch_grant_release(void *virt);
