/* SPDX-License-Identifier: MIT
 *
 * Virtual addresses of a 64-bit domain, 48 bits of them.  The image is at 2 MiB, where arm64.lds
 * links it.
 */
#pragma once

#define DIRECT_MAP   0x8000000000UL   /* 512 GiB: physical address 0 */
#define VSPACE_START 0x400000000000UL /* 64 TiB */
#define VSPACE_END   (VSPACE_START + (64UL << 30))
#define HEAP_START   0x500000000000UL /* 80 TiB */
#define HEAP_END     0x600000000000UL
