/* SPDX-License-Identifier: MIT
 *
 * Entries of translation tables with a 4 KiB granule.  ARMv7 has them with its large physical
 * address extension, which a CPU with virtualisation has; ARMv8 has the same ones.  Follows the Arm
 * Architecture Reference Manuals (DDI 0406, B3.6; DDI 0487, D8).
 */
#pragma once

/* MAIR: the kinds of memory a descriptor chooses from by number. */
#define MAIR_NORMAL 0 /* write-back, allocating: 0xff */
#define MAIR_DEVICE 1 /* nGnRE: 0x04 */
#define MAIR_VALUE  0x04ff

/* Stage 1 descriptors, 4 KiB granule. */
#define DESC_VALID     (1 << 0)
#define DESC_TABLE     (1 << 1) /* not at the last level, where it says: page */
#define DESC_ATTR(n)   ((n) << 2)
#define DESC_READ_ONLY (1 << 7)
#define DESC_INNER     (3 << 8) /* shareable */
#define DESC_ACCESSED  (1 << 10)

/* Of normal memory, executable. */
#define DESC_BLOCK_RX                                                                              \
    (DESC_VALID | DESC_ATTR(MAIR_NORMAL) | DESC_READ_ONLY | DESC_INNER | DESC_ACCESSED)
#define DESC_PAGE_RX         (DESC_BLOCK_RX | DESC_TABLE)
#define DESC_PAGE_RW         (DESC_PAGE_RX & ~DESC_READ_ONLY)
#define DESC_DEVICE          (DESC_VALID | DESC_TABLE | DESC_ATTR(MAIR_DEVICE) | DESC_INNER | DESC_ACCESSED)
#define DESC_NO_EXECUTE_BITS 53 /* PXN, and UXN above it */

#ifndef __ASSEMBLER__
#include <stdint.h>

#define DESC_NO_EXECUTE (3ULL << DESC_NO_EXECUTE_BITS)
#endif
