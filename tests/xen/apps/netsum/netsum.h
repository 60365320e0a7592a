/* SPDX-License-Identifier: MIT
 *
 * Streams with their sum.
 */
#pragma once
#include <stdint.h>

struct sum {
    uint32_t crc; /* 0 at the start */
    unsigned long long bytes;
};

/* Add what comes, until the other end closes or so many bytes came. 0, or -1 when it broke. */
int sum_receive(int fd, struct sum *sum, uint64_t bytes);

/* Send so many bytes of a random sequence, always the same. 0, or -1 when it broke. */
int sum_send(int fd, struct sum *sum, uint64_t bytes);
