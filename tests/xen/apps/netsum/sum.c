/* SPDX-License-Identifier: MIT
 *
 * Bytes to and from sockets, and their CRC-32, eight bytes at a time.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "lib/types.h"
#include "netsum.h"

#define PIECE (64 * 1024)

/* [n][b]: what b does to the sum with n more bytes behind it. */
static uint32_t table[8][256];
static pthread_once_t table_made = PTHREAD_ONCE_INIT;

static void make_table(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        table[0][b] = b;
        for (int bit = 0; bit < 8; bit++)
            table[0][b] = table[0][b] >> 1 ^ (table[0][b] & 1 ? 0xedb88320 : 0);
    }
    for (int n = 1; n < 8; n++)
        for (uint32_t b = 0; b < 256; b++)
            table[n][b] = table[n - 1][b] >> 8 ^ table[0][table[n - 1][b] & 0xff];
}

static void sum_add(struct sum *sum, const unsigned char *p, size_t len)
{
    uint32_t crc = ~sum->crc;

    sum->bytes += len;
    for (; len >= 8; len -= 8, p += 8) {
        uint64_t v;

        memcpy(&v, p, 8);
        v ^= crc;
        crc = 0;
        for (int n = 0; n < 8; n++)
            crc ^= table[7 - n][v >> 8 * n & 0xff];
    }
    for (; len; len--, p++)
        crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
    sum->crc = ~crc;
}

int sum_receive(int fd, struct sum *sum, uint64_t bytes)
{
    unsigned char *piece = malloc(PIECE);
    ssize_t rc = piece ? 0 : -1;

    pthread_once(&table_made, make_table);
    while (piece && bytes && (rc = recv(fd, piece, MIN(bytes, PIECE), 0)) > 0) {
        sum_add(sum, piece, (size_t)rc);
        bytes -= (uint64_t)rc;
    }
    free(piece);
    return rc < 0 ? -1 : 0;
}

int sum_send(int fd, struct sum *sum, uint64_t bytes)
{
    uint64_t *piece = malloc(PIECE), state = 1;
    int rc = piece ? 0 : -1;

    pthread_once(&table_made, make_table);
    while (rc == 0 && bytes) {
        size_t len = MIN(bytes, PIECE);

        for (size_t i = 0; i < PIECE / sizeof(*piece); i++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            piece[i] = state;
        }
        sum_add(sum, (unsigned char *)piece, len);
        for (size_t done = 0; rc == 0 && done < len;) {
            ssize_t sent = send(fd, (char *)piece + done, len - done, MSG_NOSIGNAL);

            if (sent < 0)
                rc = -1;
            else
                done += (size_t)sent;
        }
        bytes -= len;
    }
    free(piece);
    return rc;
}
