/* SPDX-License-Identifier: MIT
 *
 * A shelf per thread in front of newlib's malloc: small blocks that a thread freed and is likely to
 * want again soon, without newlib's lock and search.  Everything else, realloc() and calloc()
 * too, goes straight to newlib, which never learns of the shelf: to it those blocks are in use.
 */
#include <malloc.h>
#include <reent.h>
#include <stdlib.h>
#include "lib/panic.h"
#include "lib/types.h"
#include "libc/internal.h"

/* newlib's blocks come in steps of 16 bytes, of which it keeps 8 for itself, and are 32 at least.
 */
#define STEP      16
#define OVERHEAD  8
#define STEPS_MIN 2
#define STEPS_MAX 16 /* larger blocks are not kept */
#define KEPT_MAX  8  /* of each size */

struct block {
    struct block *next;
    const void *shelf; /* where it lies: a block that says so when it is freed may be there twice */
};

struct shelf {
    struct block *blocks[STEPS_MAX + 1];
    uint8_t count[STEPS_MAX + 1];
};
static _Thread_local struct shelf shelf;

void *malloc(size_t size)
{
    size_t steps = MAX((size + OVERHEAD + STEP - 1) / STEP, STEPS_MIN);
    struct block *block;
    void *fresh;

    if (size <= STEPS_MAX * STEP - OVERHEAD && (block = shelf.blocks[steps]) != NULL) {
        shelf.blocks[steps] = block->next;
        shelf.count[steps]--;
        block->shelf = NULL;
        return block;
    }
    fresh = _malloc_r(_REENT, size);
    if (fresh)
        return fresh;
    libc_malloc_flush(); /* perhaps that is what was missing */
    return _malloc_r(_REENT, size);
}

/* The program may by chance have left our address in a block of its own: look. */
static void refuse_second_free(const struct block *block, size_t steps)
{
    for (const struct block *it = shelf.blocks[steps]; it; it = it->next)
        if (it == block)
            panic("free(%p): the block is free already", (const void *)block);
}

void free(void *ptr)
{
    struct block *block = ptr;
    size_t steps;

    if (!ptr)
        return;
    steps = (_malloc_usable_size_r(_REENT, ptr) + OVERHEAD) / STEP;
    if (steps > STEPS_MAX || shelf.count[steps] == KEPT_MAX) {
        _free_r(_REENT, ptr);
        return;
    }
    if (block->shelf == &shelf)
        refuse_second_free(block, steps);
    *block = (struct block){ .next = shelf.blocks[steps], .shelf = &shelf };
    shelf.blocks[steps] = block;
    shelf.count[steps]++;
}

void libc_malloc_flush(void)
{
    for (size_t steps = STEPS_MIN; steps <= STEPS_MAX; steps++) {
        while (shelf.blocks[steps]) {
            struct block *block = shelf.blocks[steps];

            shelf.blocks[steps] = block->next;
            _free_r(_REENT, block);
        }
        shelf.count[steps] = 0;
    }
}
