/* SPDX-License-Identifier: MIT
 *
 * Where frames of the grant table and of other domains come to lie: Xen puts them at guest-physical
 * addresses of our choice, which are mapped as any others.  Thread context.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>

/* Make our grant table index + 1 frames long and map the last of them at `virt`, writable. 0;
 * -XEN_ENOSPC: the table is at its limit; or -errno. */
int arch_grant_map_frame(void *virt, unsigned int index);

/* A page of `domid` is to be mapped at `virt` (from vspace_alloc()) by
 * GNTTABOP_map_grant_ref with arch_grant_host_addr(virt): prepare that. 0 or
 * -errno. */
int arch_grant_prepare(void *virt, domid_t domid);
/* What grant operations call `virt`. */
uint64_t arch_grant_host_addr(const void *virt);
/* It is unmapped again, or could not be mapped. */
void arch_grant_release(void *virt);
