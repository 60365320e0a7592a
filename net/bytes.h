/* SPDX-License-Identifier: MIT
 *
 * What is done to payload and headers a million times a second. Thread context: these use the FPU's
 * registers.
 */
#pragma once
#include "lib/types.h"

/* memcpy(), for packets: what is copied is read again soon, so it may well stay in the cache.
 * (newlib's writes around the cache from 256 bytes on, eight bytes at a time.) */
void net_copy(void *to, const void *from, size_t len);
/* The Internet checksum's sum, folded and not inverted, in the order of the bytes in memory. */
uint16_t net_sum(const void *data, int len);
