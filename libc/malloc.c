/* SPDX-License-Identifier: MIT
 *
 * A cache per vCPU in front of newlib's malloc: small blocks that were freed and are likely to be
 * wanted again soon, without newlib's lock and search.  It belongs to the vCPU, not to the thread,
 * so it costs nothing to make a thread, and what is kept does not grow with their number; upcalls
 * are masked while it is touched.  newlib never learns of it: to it those blocks are in use.
 *
 * After Bonwick and Adams, "Magazines and Vmem" (2001): for each size a vCPU has a magazine of
 * blocks that it takes from and puts to, and full ones besides; what is too much goes to the depot
 * (libc/malloc_depot.c).  Blocks rarely change vCPUs that way, and those of a magazine lie together
 * (libc/malloc_newlib.c), so that two vCPUs do not write to the same cache lines.
 */
#include <errno.h>
#include <malloc.h>
#include <reent.h>
#include <stdlib.h>
#include <string.h>
#include "lib/irq.h"
#include "lib/panic.h"
#include "lib/percpu.h"
#include "libc/internal.h"
#include "libc/malloc_private.h"
#include "mm/address_space.h"
#include "mm/kmem.h"

struct shelf {
    struct block *loaded; /* the magazine in use */
    struct block *full;   /* others, a list */
    uint16_t room;        /* blocks that `loaded` can still take; 0 also before the first */
    uint16_t fetched;     /* from newlib at once, the last time */
};

/* Touched by its own vCPU only, upcalls masked. */
struct malloc_cache {
    size_t full_bytes; /* in the shelves' full magazines */
    struct shelf shelves[CLASSES];
};

/* What a vCPU's full magazines may hold: this, or a part of what the program has. */
#define FULL_BYTES_MIN  (64UL << 10)
#define FULL_HEAP_SHIFT 5

static struct block *take_full(struct malloc_cache *cache, unsigned int class)
{
    struct shelf *shelf = &cache->shelves[class];
    struct block *magazine = shelf->full;

    if (!magazine)
        return depot_take(class);
    shelf->full = magazine->next_magazine;
    cache->full_bytes -= magazine_bytes(class);
    return magazine;
}

/* False: it is too much, here and in the depot. */
static bool put_full(struct malloc_cache *cache, unsigned int class, struct block *magazine)
{
    size_t bytes = cache->full_bytes + magazine_bytes(class);

    if (bytes > MAX(FULL_BYTES_MIN, heap_size() >> FULL_HEAP_SHIFT))
        return depot_put(class, magazine);
    cache->full_bytes = bytes;
    magazine->next_magazine = cache->shelves[class].full;
    cache->shelves[class].full = magazine;
    return true;
}

/* On the vCPU whose cache it is, upcalls masked: all it has, before `magazines`. */
struct block *malloc_cache_empty(struct block *magazines)
{
    struct malloc_cache *cache = this_percpu()->malloc_cache;

    for (unsigned int class = STEPS_MIN; cache && class < CLASSES; class ++) {
        struct shelf *shelf = &cache->shelves[class];
        struct block *magazine;

        while ((magazine = shelf->loaded) || (magazine = shelf->full)) {
            if (magazine == shelf->loaded)
                shelf->loaded = NULL;
            else
                shelf->full = magazine->next_magazine;
            magazine->next_magazine = magazines;
            magazines = magazine;
        }
        *shelf = (struct shelf){ 0 };
    }
    if (cache)
        cache->full_bytes = 0;
    return magazines;
}

/* One block for the caller, the others for this vCPU's shelf. */
static void *fetch(unsigned int class, unsigned int count)
{
    struct block *block = newlib_magazine(class, count);

    while (block && block->next) {
        struct block *other = block->next;

        block->next = other->next;
        free(other);
    }
    return block;
}

/* The running vCPU, or another by now, gets a cache if there is memory. */
static void cache_create(void)
{
    struct malloc_cache *cache = kmem_alloc(sizeof(*cache));
    bool enabled = upcalls_save();
    struct percpu *cpu = this_percpu();

    if (!cpu->malloc_cache) {
        cpu->malloc_cache = cache;
        cache = NULL;
    }
    upcalls_restore(enabled);
    kmem_free(cache);
}

/* The shelf has none loaded. `enabled`: what upcalls_save() said, undone here. */
static __attribute__((noinline)) void *malloc_slowly(unsigned int class, bool enabled)
{
    struct malloc_cache *cache = this_percpu()->malloc_cache;
    struct shelf *shelf = cache ? &cache->shelves[class] : NULL;
    struct block *magazine = NULL;
    unsigned int count = 1;

    if (shelf) {
        magazine = take_full(cache, class);
        if (magazine) {
            shelf->loaded = magazine->next;
            shelf->room = 1;
        } else { /* a program that wants more and more gets a magazine at once, one that doesn't
                    doesn't pay for it */
            count = MIN(MAX(2u * shelf->fetched, 1u), magazine_size(class));
            shelf->fetched = count;
        }
    }
    upcalls_restore(enabled);
    if (magazine) {
        magazine->kept = NULL;
        return magazine;
    }
    if (!cache)
        cache_create();
    return fetch(class, count);
}

void *malloc(size_t size)
{
    struct malloc_cache *cache;
    struct block *block;
    unsigned int class;
    bool enabled;

    if (size > SIZE_MAX_KEPT)
        return newlib_malloc(size);
    class = class_for(size);
    enabled = upcalls_save();
    cache = this_percpu()->malloc_cache;
    if (!cache || !(block = cache->shelves[class].loaded))
        return malloc_slowly(class, enabled);
    cache->shelves[class].loaded = block->next;
    cache->shelves[class].room++;
    block->kept = NULL;
    upcalls_restore(enabled);
    return block;
}

static bool magazine_has(const struct block *magazine, const struct block *block)
{
    while (magazine && magazine != block)
        magazine = magazine->next;
    return magazine != NULL;
}

static bool magazines_have(const struct block *magazines, const struct block *block)
{
    while (magazines && !magazine_has(magazines, block))
        magazines = magazines->next_magazine;
    return magazines != NULL;
}

/* The program may by chance have left our mark in a block of its own: look. A block that another
 * vCPU keeps for itself isn't found. */
static void refuse_second_free(const struct block *block, const struct shelf *shelf,
                               unsigned int class)
{
    if (magazine_has(shelf->loaded, block) || magazines_have(shelf->full, block) ||
        depot_has(class, block))
        panic("free(%p): the block is free already", (const void *)block);
}

/* The block carries our mark, or its magazine is full, or there is no cache. `enabled`: as above.
 */
static __attribute__((noinline)) void free_slowly(struct block *block, unsigned int class,
                                                  bool enabled)
{
    struct malloc_cache *cache = this_percpu()->malloc_cache;
    struct block *surplus = NULL;

    if (cache) {
        struct shelf *shelf = &cache->shelves[class];

        if (block->kept == BLOCK_KEPT)
            refuse_second_free(block, shelf, class);
        if (!shelf->room) {
            if (shelf->loaded && !put_full(cache, class, shelf->loaded))
                surplus = shelf->loaded;
            shelf->loaded = NULL;
            shelf->room = magazine_size(class);
        }
        *block = (struct block){ .next = shelf->loaded, .kept = BLOCK_KEPT };
        shelf->loaded = block;
        shelf->room--;
    } else {
        surplus = block;
        surplus->next = NULL;
    }
    upcalls_restore(enabled);
    if (!cache)
        cache_create(); /* for the next one */
    if (surplus) {
        surplus->next_magazine = NULL;
        newlib_free(surplus);
    }
}

void free(void *ptr)
{
    struct block *block = ptr;
    struct malloc_cache *cache;
    struct shelf *shelf;
    unsigned int class;
    size_t steps;
    bool enabled;

    if (!ptr)
        return;
    steps = block_steps(ptr);
    if (steps - STEPS_MIN > STEPS_MAX - STEPS_MIN) {
        _free_r(_REENT, ptr);
        return;
    }
    class = class_within(steps);
    enabled = upcalls_save();
    cache = this_percpu()->malloc_cache;
    if (!cache || !cache->shelves[class].room || block->kept == BLOCK_KEPT) {
        free_slowly(block, class, enabled);
        return;
    }
    shelf = &cache->shelves[class];
    block->next = shelf->loaded;
    block->kept = BLOCK_KEPT;
    shelf->loaded = block;
    shelf->room--;
    upcalls_restore(enabled);
}

void *calloc(size_t count, size_t size)
{
    size_t len;
    void *block;

    if (__builtin_mul_overflow(count, size, &len) || len > SIZE_MAX_KEPT) {
        block = _calloc_r(_REENT, count, size); /* knows what is zero already */
        if (block)
            return block;
        libc_malloc_gather();
        return _calloc_r(_REENT, count, size);
    }
    block = malloc(len);
    asm("" : "+r"(block)); /* or the compiler takes malloc() and memset() for a call of calloc() */
    return block ? memset(block, 0, len) : NULL;
}

void *realloc(void *ptr, size_t size)
{
    size_t has;
    void *block;

    if (!ptr)
        return malloc(size);
    has = block_steps(ptr) * STEP - OVERHEAD;
    if (size > SIZE_MAX_KEPT || has > SIZE_MAX_KEPT || size == 0) {
        block = _realloc_r(_REENT, ptr, size); /* may grow it where it is */
        if (block || size == 0)
            return block;
        libc_malloc_gather();
        return _realloc_r(_REENT, ptr, size);
    }
    if (size <= has && (size >= has / 2 || has <= STEPS_MIN * STEP))
        return ptr;
    block = malloc(size);
    if (block) {
        memcpy(block, ptr, MIN(size, has));
        free(ptr);
    }
    return block;
}
