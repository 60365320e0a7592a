/* SPDX-License-Identifier: MIT
 *
 * Copies and sums in the largest pieces that every CPU of a kind has registers for; the compiler
 * chooses the instructions.
 */
#include "net/bytes.h"
#include <string.h>

typedef long long chunk __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t word __attribute__((aligned(1), may_alias));
typedef uint32_t half __attribute__((aligned(1), may_alias));

void net_copy(void *to, const void *from, size_t len)
{
    chunk *out = to;
    const chunk *in = from;

    if (len < sizeof(chunk)) {
        memcpy(to, from, len);
        return;
    }
    for (size_t left = len / sizeof(chunk) / 8; left; left--, in += 8, out += 8) {
        chunk a = in[0], b = in[1], c = in[2], d = in[3], e = in[4], f = in[5], g = in[6],
              h = in[7];

        out[0] = a, out[1] = b, out[2] = c, out[3] = d;
        out[4] = e, out[5] = f, out[6] = g, out[7] = h;
    }
    for (size_t left = len / sizeof(chunk) % 8; left; left--)
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
