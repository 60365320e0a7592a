/* SPDX-License-Identifier: MIT
 *
 * Copies and sums of packets, against the plain way to do them, for each length and alignment.
 */
#include "net/bytes.h"
#include "tests/host/test.h"

#define LEN_MAX 700

static uint8_t from[LEN_MAX + 32], to[LEN_MAX + 64];

static void fill(void)
{
    uint32_t x = 12345;

    for (size_t i = 0; i < sizeof(from); i++) {
        x = x * 1103515245 + 12345;
        from[i] = (uint8_t)(x >> 16);
    }
}

static bool copies(size_t len, size_t offset, size_t to_offset)
{
    memset(to, 0xee, sizeof(to));
    net_copy(to + 16 + to_offset, from + offset, len);
    for (size_t i = 0; i < sizeof(to); i++) {
        bool inside = i >= 16 + to_offset && i < 16 + to_offset + len;

        if (to[i] != (inside ? from[offset + i - 16 - to_offset] : 0xee))
            return false;
    }
    return true;
}

TEST(copy_each_length)
{
    fill();
    for (size_t len = 0; len <= LEN_MAX; len++)
        CHECK(copies(len, len % 17, len % 13));
}

/* RFC 1071, a word at a time, as they lie in memory. */
static uint16_t plain_sum(const uint8_t *data, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += (uint32_t)data[i] << (i % 2 ? 8 : 0);
        sum = (sum >> 16) + (sum & 0xffff);
    }
    return (uint16_t)((sum >> 16) + (sum & 0xffff));
}

TEST(sum_each_length)
{
    fill();
    for (size_t len = 0; len <= LEN_MAX; len++)
        for (size_t offset = 0; offset < 9; offset++)
            CHECK_EQ(net_sum(from + offset, (int)len), plain_sum(from + offset, len));
}

/* Where every addition carries. */
TEST(sum_of_ones)
{
    memset(from, 0xff, sizeof(from));
    for (size_t len = 0; len <= LEN_MAX; len++)
        CHECK_EQ(net_sum(from, (int)len), plain_sum(from, len));
}
