/* SPDX-License-Identifier: MIT */
/* malloc's family under random use, qsort and bsearch, setjmp and longjmp. */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libc_test.h"

#define SLOTS 200

struct block {
    unsigned char *bytes;
    size_t len;
    unsigned char fill;
};

static struct block blocks[SLOTS];

static int block_intact(const struct block *block)
{
    for (size_t i = 0; i < block->len; i++)
        if (block->bytes[i] != block->fill)
            return 0;
    return 1;
}

static size_t random_len(void)
{
    uint64_t n = random_next();

    return n % 16 == 0 ? n / 16 % 100000 : n / 16 % 500;
}

/* One random operation on a random slot. Returns whether everything seen was as it must be. */
static int malloc_step(int step)
{
    struct block *block = &blocks[random_next() % SLOTS];
    size_t len = random_len();
    int good = block_intact(block);

    switch (random_next() % 4) {
    case 0:
        free(block->bytes);
        block->bytes = malloc(len);
        break;
    case 1:
        free(block->bytes);
        block->bytes = calloc(len / 4 + 1, 4);
        for (size_t i = 0; i < len; i++)
            good &= block->bytes[i] == 0;
        break;
    case 2: {
        size_t kept = len < block->len ? len : block->len;

        block->bytes = realloc(block->bytes, len ? len : 1);
        for (size_t i = 0; i < kept; i++)
            good &= block->bytes[i] == block->fill;
        break;
    }
    default:
        free(block->bytes);
        block->bytes = NULL;
        len = 0;
    }
    good &= ((uintptr_t)block->bytes & (2 * sizeof(void *) - 1)) == 0;
    if (len && !block->bytes)
        return 0;
    block->len = len;
    block->fill = (unsigned char)step;
    if (len)
        memset(block->bytes, block->fill, len);
    return good;
}

void test_malloc(void)
{
    void *volatile huge;
    volatile size_t three = 3;

    for (int round = 0; round < 500; round++) {
        int good = 1;

        for (int step = 0; step < 40; step++)
            good &= malloc_step(round * 40 + step);
        out("malloc round %d: %d", round, good);
    }
    for (size_t i = 0; i < SLOTS; i++)
        free(blocks[i].bytes);
    huge = malloc(SIZE_MAX / 2 - 100);
    out("huge malloc fails: %d", huge == NULL);
    huge = calloc(SIZE_MAX / 2, three);
    out("overflowing calloc fails: %d", huge == NULL);
    free(NULL);
    for (size_t align = 16; align <= 4096; align *= 2) {
        void *p = aligned_alloc(align, align * 3);

        out("aligned %zu: %d", align, p && (uintptr_t)p % align == 0);
        free(p);
    }
}

static int by_number(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

void test_sort(void)
{
    static int32_t n[1000];
    static char words[300][11]; /* an odd element size takes the byte-wise swap */

    for (size_t count = 0; count <= 1000; count = count * 3 / 2 + 1) {
        for (size_t i = 0; i < count; i++)
            n[i] = (int32_t)(random_next() % (count * 2));
        qsort(n, count, sizeof n[0], by_number);
        for (size_t i = 0; i < count; i++)
            out("%zu of %zu: %d", i, count, (int)n[i]);
        for (int32_t key = 0; key < 20; key++) {
            int32_t *found = bsearch(&key, n, count, sizeof n[0], by_number);

            out("find %d: %d", (int)key, found ? (int)*found : -1);
        }
    }
    for (size_t i = 0; i < 300; i++)
        sprintf(words[i], "%llx", (unsigned long long)(random_next() >> 30));
    qsort(words, 300, sizeof words[0], by_text);
    for (size_t i = 0; i < 300; i++)
        out("%s", words[i]);
    for (int i = -20; i < 20; i++) {
        div_t q = div(i * 13, 7);
        lldiv_t ll = lldiv(i * 10000000000ll, 7000000001ll);

        out("%d %d %lld %lld %d", q.quot, q.rem, ll.quot, ll.rem, abs(i));
    }
}

static jmp_buf env;

static void descend(int depth, int value)
{
    volatile char frame[100];

    frame[0] = (char)depth;
    if (depth <= 0)
        longjmp(env, value);
    if (depth > 0)
        descend(depth - 1, value);
    out("never reached %d", frame[0]);
}

void test_jump(void)
{
    for (volatile int i = 0; i < 50; i++) {
        volatile double kept = i * 1.5;

        switch (setjmp(env)) {
        case 0:
            descend(i, i % 3);
            break;
        case 1:
            out("jump %d gave 1, %g", i, kept);
            break;
        default:
            out("jump %d gave 2, %g", i, kept);
        }
    }
}
