/* SPDX-License-Identifier: MIT
 *
 * Sets of vCPUs, by Xen's numbers.  vcpu_set_add() and vcpu_set_remove() are atomic, so that a set
 * can be shared; all else reads a shared one as it happens to be.
 */
#pragma once
#include "lib/atomic.h"
#include "lib/types.h"

#define MAX_VCPUS     128
#define VCPU_SET_NONE MAX_VCPUS /* what vcpu_set_next() says behind the last one */

struct vcpu_set {
    unsigned long bits[MAX_VCPUS / (8 * sizeof(unsigned long))];
};

/* True if it was there before. */
static inline bool vcpu_set_add(struct vcpu_set *set, unsigned int vcpu)
{
    return bit_test_and_set(set->bits, vcpu);
}

/* True if it was there. */
static inline bool vcpu_set_remove(struct vcpu_set *set, unsigned int vcpu)
{
    return bit_test_and_clear(set->bits, vcpu);
}

static inline bool vcpu_set_has(const struct vcpu_set *set, unsigned int vcpu)
{
    return bit_test(set->bits, vcpu);
}

/* The first vCPU >= `from` in it, VCPU_SET_NONE when there is none. */
static inline unsigned int vcpu_set_next(const struct vcpu_set *set, unsigned int from)
{
    for (unsigned int word = from / BITS_PER_LONG; word < ARRAY_SIZE(set->bits); word++) {
        unsigned long bits = load_once(&set->bits[word]);

        if (word == from / BITS_PER_LONG)
            bits &= ~0UL << from % BITS_PER_LONG;
        if (bits)
            return word * BITS_PER_LONG + lowest_bit(bits);
    }
    return VCPU_SET_NONE;
}

static inline unsigned int vcpu_set_first(const struct vcpu_set *set)
{
    return vcpu_set_next(set, 0);
}

static inline bool vcpu_set_empty(const struct vcpu_set *set)
{
    return vcpu_set_first(set) == VCPU_SET_NONE;
}

static inline unsigned int vcpu_set_count(const struct vcpu_set *set)
{
    unsigned int count = 0;

    for (unsigned int word = 0; word < ARRAY_SIZE(set->bits); word++)
        count += (unsigned int)__builtin_popcountl(load_once(&set->bits[word]));
    return count;
}

/* for (each vCPU of *set, ascending); `vcpu` is an unsigned int. */
#define vcpu_set_for_each(vcpu, set)                                                               \
    for ((vcpu) = vcpu_set_first(set); (vcpu) < VCPU_SET_NONE;                                     \
         (vcpu) = vcpu_set_next(set, (vcpu) + 1))
