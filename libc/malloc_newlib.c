/* SPDX-License-Identifier: MIT
 *
 * Between the caches of free blocks (libc/malloc.c) and newlib's malloc: magazines come from there
 * and go back there, all of them when memory is short.
 */
#include <malloc.h>
#include <reent.h>
#include "kernel/smp.h"
#include "lib/irq.h"
#include "lib/spinlock.h"
#include "libc/internal.h"
#include "libc/malloc_private.h"

#define PREV_INUSE 1 /* newlib's bit in the word in front of a block: so is the one before it */

void newlib_free(struct block *magazines)
{
    __malloc_lock(_REENT);
    while (magazines) {
        struct block *block = magazines;

        magazines = block->next_magazine;
        while (block) {
            struct block *next = block->next;

            _free_r(_REENT, block);
            block = next;
        }
    }
    __malloc_unlock(_REENT);
}

struct gathering {
    spinlock_t lock;
    struct block *magazines; /* held: lock */
};

static void surrender(void *arg)
{
    struct gathering *all = arg;

    spin_lock(&all->lock);
    all->magazines = malloc_cache_empty(all->magazines);
    spin_unlock(&all->lock);
}

void libc_malloc_gather(void)
{
    struct gathering all = { .lock = SPINLOCK_INIT };
    bool enabled;

    smp_call_all(surrender, &all, true);
    enabled = upcalls_save();
    all.magazines = depot_take_all(all.magazines);
    upcalls_restore(enabled);
    if (all.magazines)
        newlib_free(all.magazines);
}

__attribute__((noinline)) void *newlib_malloc(size_t size)
{
    void *block = _malloc_r(_REENT, size);

    if (block)
        return block;
    libc_malloc_gather(); /* perhaps that is what was missing */
    return _malloc_r(_REENT, size);
}

/* Make `count` blocks of `steps`, newlib's bytes included, of one; the last one has what is left
 * over.  With newlib's lock: it changes the first one's word too, when the block before is freed.
 */
static struct block *split(struct block *block, unsigned int count, size_t steps)
{
    size_t left = block_steps(block);
    struct block *magazine = NULL;
    size_t flags = block_word(block) % STEP;

    while (count--) {
        size_t has = count ? steps : left;

        block_word(block) = has * STEP | flags;
        *block = (struct block){ .next = magazine };
        magazine = block;
        flags = PREV_INUSE;
        left -= has;
        block = (struct block *)((char *)block + has * STEP);
    }
    return magazine;
}

struct block *newlib_magazine(unsigned int class, unsigned int count)
{
    size_t steps = class_steps(class);
    struct block *block;

    __malloc_lock(_REENT);
    block = _malloc_r(_REENT, count * steps * STEP - OVERHEAD);
    if (block)
        block = split(block, count, steps);
    __malloc_unlock(_REENT);
    if (block)
        return block;
    block = newlib_malloc(steps * STEP - OVERHEAD);
    if (block)
        *block = (struct block){ 0 };
    return block;
}
