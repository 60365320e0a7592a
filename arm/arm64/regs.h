/* SPDX-License-Identifier: MIT
 *
 * System registers, by the names the Arm Architecture Reference Manual gives them.
 */
#pragma once

#define READ_SYSREG(name)                                                                          \
    ({                                                                                             \
        unsigned long value_;                                                                      \
        asm volatile("mrs %0, " #name : "=r"(value_)::"memory");                                   \
        value_;                                                                                    \
    })
#define WRITE_SYSREG(name, value)                                                                  \
    asm volatile("msr " #name ", %0" ::"r"((unsigned long)(value)) : "memory")
