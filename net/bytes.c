/* SPDX-License-Identifier: MIT
 *
 * Copies and sums in the largest pieces that every CPU of a kind has registers for; the compiler
 * chooses the instructions.
 */
#include "net/bytes.h"
#include <string.h>

/* Two words of the CPU: 16 bytes, but on CPUs of 32 bits. */
typedef long chunk __attribute__((vector_size(2 * sizeof(long)), aligned(1), may_alias));
typedef uint64_t word __attribute__((aligned(1), may_alias));
typedef uint32_t half __attribute__((aligned(1), may_alias));

#define BLOCK 8 /* chunks */

/* No more at a time: where a chunk takes two registers, others would not have one. */
static inline void copy_two(chunk *out, const chunk *in)
{
    chunk a = in[0], b = in[1];

    out[0] = a, out[1] = b;
}

/* By itself: what the caller still wants would take registers. */
static __attribute__((noinline)) void copy_blocks(chunk *out, const chunk *in, size_t count)
{
    for (; count; count--, in += BLOCK, out += BLOCK) {
        copy_two(out, in);
        copy_two(out + 2, in + 2);
        copy_two(out + 4, in + 4);
        copy_two(out + 6, in + 6);
    }
}

void net_copy(void *to, const void *from, size_t len)
{
    size_t blocks = len / sizeof(chunk) / BLOCK;
    chunk *out = (chunk *)to + blocks * BLOCK;
    const chunk *in = (const chunk *)from + blocks * BLOCK;

    /* Without registers of 16 bytes that the compiler may use, memcpy() has the better ones. */
    if (sizeof(chunk) < 16 || len < sizeof(chunk)) {
        memcpy(to, from, len);
        return;
    }
    copy_blocks(to, from, blocks);
    for (size_t left = len / sizeof(chunk) % BLOCK; left; left--)
        *out++ = *in++;
    /* The rest, with some of what is copied already. */
    *(chunk *)((char *)to + len - sizeof(chunk)) =
        *(const chunk *)((const char *)from + len - sizeof(chunk));
}

/* One's complement: what is carried out comes back in. */
static inline uint64_t add(uint64_t sum, uint64_t more)
{
    sum += more;
    return sum + (sum < more);
}

uint16_t net_sum(const void *data, int len)
{
    const char *at = data;
    uint64_t sum = 0, last = 0;

    for (; len >= 32; len -= 32, at += 32) {
        const word *w = (const void *)at;

        sum = add(add(add(add(sum, w[0]), w[1]), w[2]), w[3]);
    }
    for (; len >= 8; len -= 8, at += 8)
        sum = add(sum, *(const word *)(const void *)at);
    if (len & 4) {
        sum = add(sum, *(const half *)(const void *)at);
        at += 4;
    }
    if (len & 3) {
        memcpy(&last, at, len & 3);
        sum = add(sum, last);
    }
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)(sum + (sum >> 16));
}
