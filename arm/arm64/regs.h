/* SPDX-License-Identifier: MIT
 *
 * System registers, by the names the Arm Architecture Reference Manual gives them.
 */
#pragma once

/* MAIR_EL1: the kinds of memory a descriptor chooses from by number. */
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

#define DESC_NO_EXECUTE (3UL << DESC_NO_EXECUTE_BITS)

#define READ_SYSREG(name)                                                                          \
    ({                                                                                             \
        unsigned long value_;                                                                      \
        asm volatile("mrs %0, " #name : "=r"(value_)::"memory");                                   \
        value_;                                                                                    \
    })
#define WRITE_SYSREG(name, value)                                                                  \
    asm volatile("msr " #name ", %0" ::"r"((unsigned long)(value)) : "memory")
#endif
