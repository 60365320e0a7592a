/* SPDX-License-Identifier: MIT
 *
 * All the memory the domain has is usable: takes blocks from malloc() until there are none, writes
 * into every page where it lies, several times, and reads everything back when all are written, so
 * that a page that is at two addresses is seen.  Then the heap must still work: free, and take the
 * same again.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "xenolith.h"

#define BLOCK ((size_t)16 << 10)
#define WORDS (BLOCK / sizeof(uint64_t))
#define MIB   (1024.0 * 1024.0)

struct block {
    struct block *next;
    uint64_t word[WORDS - 4]; /* the rest is malloc's: a block then fills its pages */
};

#define COUNT (sizeof(((struct block *)NULL)->word) / sizeof(uint64_t))
#define STEP  64 /* words: every word of 4 GiB takes a minute under emulation */

static uint64_t mark(const uint64_t *word)
{
    return (uint64_t)(uintptr_t)word * 0x9e3779b97f4a7c15;
}

static struct block *take_all(size_t *count)
{
    struct block *all = NULL, *block;

    for (*count = 0; (block = malloc(sizeof(*block))) != NULL; ++*count) {
        for (size_t i = 0; i < COUNT; i += STEP)
            block->word[i] = mark(&block->word[i]);
        block->next = all;
        all = block;
    }
    return all;
}

static size_t wrong_words(const struct block *block)
{
    size_t wrong = 0;

    for (; block; block = block->next) {
        for (size_t i = 0; i < COUNT; i += STEP)
            wrong += block->word[i] != mark(&block->word[i]);
    }
    return wrong;
}

static void free_all(struct block *block)
{
    while (block) {
        struct block *next = block->next;

        free(block);
        block = next;
    }
}

int main(void)
{
    struct xenolith_info info = { 0 };
    struct block *all;
    size_t first, again, wrong;
    int error;

    xenolith_get_info(&info);
    errno = 0;
    all = take_all(&first);
    error = errno;
    printf("fill: %.1f MiB of %.1f MiB, errno %d%s\n", first * BLOCK / MIB, info.memory_free / MIB,
           error, error == ENOMEM ? " ENOMEM" : "");
    wrong = wrong_words(all);
    printf("fill: %zu words wrong\n", wrong);
    free_all(all);
    for (again = 0, all = NULL; again < first; again++) {
        struct block *block = malloc(sizeof(*block));

        if (!block)
            break;
        block->next = all;
        all = block;
    }
    printf("fill: %zu of %zu blocks again\n", again, first);
    free_all(all);
    return wrong || error != ENOMEM || again != first;
}
