/* SPDX-License-Identifier: MIT
 *
 * Between libc/malloc.c, libc/malloc_depot.c and libc/malloc_newlib.c: blocks in their size
 * classes, the depot, and what is asked of newlib.
 *
 * newlib's blocks come in steps of two words, two steps at least; the word in front of what the
 * program gets is newlib's and says how large the block is.  Sizes below are those of 64 bits; with
 * 32 they are half of that.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "lib/types.h"

#define OVERHEAD  sizeof(size_t)
#define STEP      (2 * OVERHEAD)
#define STEPS_MIN 2
#define STEPS_FINE                                                                                 \
    32 /* 512 bytes: up to here each size is a class of its own; from here on ...                  \
        */
#define STEPS_MAX     256 /* ... 8 classes lie between two powers of two; larger blocks aren't kept */
#define SIZE_MAX_KEPT ((size_t)STEPS_MAX * STEP - OVERHEAD)
#define CLASSES       57 /* the first two do not occur */

#define MAGAZINE_BYTES 2048 /* about so much is in a magazine, ... */
#define MAGAZINE_MAX   16   /* ... at most so many blocks, and at least one */

/* A free block that newlib believes in use. */
struct block {
    struct block *next; /* in its magazine */
    const void *kept;   /* BLOCK_KEPT: one that says so when it is freed may be here twice */
    struct block *next_magazine; /* the first block of a full magazine that isn't in use */
};
extern const char malloc_kept_mark[];
#define BLOCK_KEPT ((const void *)malloc_kept_mark)

/* newlib's word in front of the block: its size, and flags in what is less than a step. */
#define block_word(ptr) (((size_t *)(ptr))[-1])

/* In steps, newlib's bytes included. Not for blocks that newlib itself has free. */
static inline size_t block_steps(const void *ptr)
{
    return ((const size_t *)ptr)[-1] / STEP;
}

/* The largest class whose blocks a block of so many steps can stand in for. */
static inline unsigned int class_within(size_t steps)
{
    unsigned int shift;

    if (steps <= STEPS_FINE)
        return steps;
    /* Eight classes: the three bits below the highest. */
    shift = 8 * sizeof(steps) - 4 - __builtin_clzl(steps);
    return STEPS_FINE + (shift - 2) * 8 + (steps >> shift) - 8;
}

/* The class of the smallest blocks that hold `size` bytes, at most SIZE_MAX_KEPT. */
static inline unsigned int class_for(size_t size)
{
    size_t steps = MAX((size + OVERHEAD + STEP - 1) / STEP, STEPS_MIN);

    return steps <= STEPS_FINE ? steps : class_within(steps - 1) + 1;
}

static inline size_t class_steps(unsigned int class)
{
    unsigned int above = class - STEPS_FINE;

    return class <= STEPS_FINE ? class : (size_t)(8 + above % 8) << (2 + above / 8);
}

/* How many blocks are in a full magazine. */
static inline unsigned int magazine_size(unsigned int class)
{
    return MIN(MAX(MAGAZINE_BYTES / STEP / class_steps(class), 1), MAGAZINE_MAX);
}

static inline size_t magazine_bytes(unsigned int class)
{
    return magazine_size(class) * class_steps(class) * STEP;
}

/* Full magazines that any vCPU may take. Upcalls masked. */
struct block *depot_take(unsigned int class);
/* False: the depot is full; the caller gives them to newlib. */
bool depot_put(unsigned int class, struct block *magazine);
/* Everything there is, as a list of magazines. */
struct block *depot_take_all(struct block *others);
/* Is the block here? */
bool depot_has(unsigned int class, const struct block *block);

/* The calling vCPU's blocks, all of them, in front of a list of magazines. Upcalls masked. */
struct block *malloc_cache_empty(struct block *magazines);

/* A block of newlib's, if need be after what the caches hold was given back. NULL: no memory. In a
 * thread, as all that follows. */
void *newlib_malloc(size_t size);
/* Up to `count` free blocks that lie together. NULL: no memory for a single one. */
struct block *newlib_magazine(unsigned int class, unsigned int count);
void newlib_free(struct block *magazines);
