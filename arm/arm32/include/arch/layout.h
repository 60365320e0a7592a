/* SPDX-License-Identifier: MIT
 *
 * Virtual addresses of a 32-bit domain, all of whose 4 GiB are the kernel's.  The image is at 2
 * MiB, where arm.lds links it.  Memory is there twice, in the direct map and, what malloc has of
 * it, once more: so the two are of one size, and what a domain has beyond that is not used.
 */
#pragma once
#include <stdbool.h>

#define TABLE_LEVELS 3            /* the first has 4 entries, of a GiB each */
#define LOOK_WINDOW  0x0fc00000UL /* 4 MiB */

#define VSPACE_START    0x0e000000UL
#define VSPACE_END      0x0f000000UL /* what a domain has addresses for: arm/grant.c */
#define DIRECT_MAP      0x10000000UL /* where RAM begins */
#define DIRECT_MAP_SIZE 0x78000000UL
#define PADDR_END       (1ULL << 32) /* RAM behind it is not used */
#define HEAP_START      0x88000000UL
#define HEAP_END        0xffe00000UL
