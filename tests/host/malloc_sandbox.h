/* SPDX-License-Identifier: MIT
 *
 * The caches in front of newlib's malloc: libc/malloc*.c themselves.  newlib is played here with
 * blocks of the same layout, each a block of the sanitizer's heap, so that an overflow, a use after
 * free and a leak are seen; one that was split in pieces is given back when all of them are.
 * pthreads play threads on vCPUs of their own.
 */
#pragma once

#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include "tests/host/test.h"

#include <reent.h>

#define malloc  guest_malloc
#define free    guest_free
#define calloc  guest_calloc
#define realloc guest_realloc
#include "libc/malloc.c"
#include "libc/malloc_depot.c"
#include "libc/malloc_newlib.c"
#undef malloc
#undef free
#undef calloc
#undef realloc

#define HEADER 16

struct region {
    char *start, *end;
    size_t left; /* bytes that are in use */
};
static void *regions; /* a tree; held: newlib_lock */

static inline int region_compare(const void *a, const void *b)
{
    const struct region *left = a, *right = b;

    return left->end <= right->start ? -1 : left->start >= right->end;
}

static inline void region_add(char *start, size_t len)
{
    struct region *region = malloc(sizeof(*region));

    *region = (struct region){ start, start + len, len };
    CHECK(*(struct region **)tsearch(region, &regions, region_compare) == region);
}

/* Of the region that the block is in so much is free now. */
static inline void region_free(char *block, size_t len)
{
    struct region key = { block, block + len, 0 }, **found, *region;

    found = tfind(&key, &regions, region_compare);
    CHECK(found != NULL);
    region = *found;
    CHECK(block >= region->start && block + len <= region->end && len <= region->left);
    region->left -= len;
    if (region->left)
        return;
    tdelete(region, &regions, region_compare);
    free(region->start - HEADER);
    free(region);
}

static pthread_mutex_t newlib_lock = PTHREAD_MUTEX_INITIALIZER;
static size_t in_use, most_in_use; /* bytes, as newlib sees it; held: newlib_lock */
static size_t heap_limit = SIZE_MAX;
static unsigned int newlib_calls; /* held: newlib_lock */
static unsigned int newlib_locks;
static _Thread_local unsigned int lock_depth;
static volatile size_t absurd = SIZE_MAX; /* gcc warns of a constant */
static struct percpu cpus[3];

void __malloc_lock(struct _reent *reent)
{
    (void)reent;
    CHECK(upcalls_enabled());
    if (lock_depth++ == 0) {
        pthread_mutex_lock(&newlib_lock);
        newlib_locks++;
    }
}

void __malloc_unlock(struct _reent *reent)
{
    (void)reent;
    if (--lock_depth == 0)
        pthread_mutex_unlock(&newlib_lock);
}

void *_malloc_r(struct _reent *reent, size_t size)
{
    size_t len = MAX(ROUND_UP(size + OVERHEAD, STEP), STEPS_MIN * STEP);
    size_t *head = NULL;

    __malloc_lock(reent);
    newlib_calls++;
    if (size < SIZE_MAX / 2 && in_use + len <= heap_limit && (head = malloc(HEADER + len))) {
        in_use += len;
        most_in_use = MAX(most_in_use, in_use);
        head[1] = len | 1; /* newlib's bit: the block before is in use */
        memset(head + 2, 0xa5, len - OVERHEAD);
        region_add((char *)(head + 2), len);
    }
    __malloc_unlock(reent);
    return head ? head + 2 : NULL;
}

void _free_r(struct _reent *reent, void *ptr)
{
    size_t *head = ptr;

    __malloc_lock(reent);
    newlib_calls++;
    in_use -= head[-1] & ~(size_t)15;
    CHECK_EQ(head[-1] & 15, PREV_INUSE);
    region_free(ptr, head[-1] & ~(size_t)15);
    __malloc_unlock(reent);
}

void *_calloc_r(struct _reent *reent, size_t count, size_t size)
{
    size_t len;
    void *block = __builtin_mul_overflow(count, size, &len) ? NULL : _malloc_r(reent, len);

    return block ? memset(block, 0, len) : NULL;
}

void *_realloc_r(struct _reent *reent, void *ptr, size_t size)
{
    void *block = _malloc_r(reent, size);

    if (!block)
        return NULL;
    memcpy(block, ptr, MIN(size, block_steps(ptr) * STEP - OVERHEAD));
    _free_r(reent, ptr);
    return block;
}

size_t heap_size(void)
{
    return most_in_use;
}

/* The calling pthread is a thread on a vCPU of its own from now on. */
static inline void on_vcpu(unsigned int vcpu)
{
    cpus[vcpu].self = &cpus[vcpu];
    cpus[vcpu].vcpu = vcpu;
    fake_percpu = &cpus[vcpu];
    upcalls_enable();
}

/* As kernel/smp.c does it, while nobody else runs. */
unsigned int smp_call_all(void (*fn)(void *arg), void *arg, bool wait)
{
    struct percpu *self = fake_percpu;

    CHECK(wait);
    for (unsigned int vcpu = 0; vcpu < ARRAY_SIZE(cpus); vcpu++) {
        on_vcpu(vcpu);
        upcalls_disable();
        fn(arg);
        upcalls_enable();
    }
    fake_percpu = self;
    return ARRAY_SIZE(cpus);
}

/* Nothing is lost: with all that is kept given back, newlib has nothing in use. */
static inline void check_nothing_in_use(void)
{
    libc_malloc_gather();
    for (unsigned int vcpu = 0; vcpu < ARRAY_SIZE(cpus); vcpu++) {
        kmem_free(cpus[vcpu].malloc_cache);
        cpus[vcpu].malloc_cache = NULL;
    }
    CHECK_EQ(in_use, 0);
    CHECK_EQ(depot_bytes, 0);
}
