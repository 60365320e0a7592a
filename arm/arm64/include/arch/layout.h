/* SPDX-License-Identifier: MIT
 *
 * Virtual addresses of a 64-bit domain, 48 bits of them.  The image is at 2 MiB, where arm.lds
 * links it.
 */
#pragma once
#include <stdbool.h>

#define TABLE_LEVELS 4
#define LOOK_WINDOW  0x3fc00000UL /* 4 MiB, at the end of the image's GiB */

#define DIRECT_MAP      0x8000000000UL /* 512 GiB: where RAM begins */
#define DIRECT_MAP_SIZE (1UL << 40)
#define PADDR_END       (1ULL << 48)     /* RAM behind it is not used */
#define VSPACE_START    0x400000000000UL /* 64 TiB */
#define VSPACE_END      (VSPACE_START + (64UL << 30))
#define HEAP_START      0x500000000000UL /* 80 TiB */
#define HEAP_END        0x600000000000UL
