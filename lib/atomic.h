/* SPDX-License-Identifier: MIT
 *
 * Memory order, by name.  Rings and flags shared with Xen, backends and other vCPUs use
 * load_acquire/store_release; each use names its partner in a comment.  Compilers know these on
 * every CPU, so nothing here asks which one it is.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define load_acquire(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)

/* One access, not torn, not repeated, in no particular order. */
#define load_once(p)     __atomic_load_n(p, __ATOMIC_RELAXED)
#define store_once(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)

/* A store before it is seen before a load behind it: the one order x86 does not keep by itself. */
#define memory_barrier()   __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define compiler_barrier() asm volatile("" ::: "memory")

/* Sequentially consistent read-modify-write; each returns the old value. */
#define atomic_exchange(p, v)  __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_or(p, v)  __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_and(p, v) __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_add(p, v) __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_sub(p, v) __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST)

/* If *p is *expected, make it `desired` and say true; else *expected = *p and false. */
#define atomic_compare_exchange(p, expected, desired)                                              \
    __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* Bits in arrays of unsigned long, the layout Xen's bitmaps have. */
#define BITS_PER_LONG (8 * sizeof(unsigned long))

static inline bool bit_test(const unsigned long *map, unsigned int bit)
{
    return load_once(&map[bit / BITS_PER_LONG]) >> bit % BITS_PER_LONG & 1;
}

static inline bool bit_test_and_set(unsigned long *map, unsigned int bit)
{
    unsigned long one = 1UL << bit % BITS_PER_LONG;

    return atomic_fetch_or(&map[bit / BITS_PER_LONG], one) & one;
}

static inline bool bit_test_and_clear(unsigned long *map, unsigned int bit)
{
    unsigned long one = 1UL << bit % BITS_PER_LONG;

    return atomic_fetch_and(&map[bit / BITS_PER_LONG], ~one) & one;
}

/* `word` must not be 0. */
static inline unsigned int lowest_bit(unsigned long word)
{
    return __builtin_ctzl(word);
}
