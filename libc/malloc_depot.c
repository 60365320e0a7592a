/* SPDX-License-Identifier: MIT
 *
 * The depot between the vCPUs' caches of free blocks (libc/malloc.c): whole magazines change hands
 * here, so that a thread that only frees feeds one that only allocates, and both rarely meet at a
 * lock.  What goes beyond its limit goes back to newlib.
 */
#include "lib/spinlock.h"
#include "libc/malloc_private.h"
#include "mm/address_space.h"

/* What the depot may hold: this, or a part of what the program has. */
#define DEPOT_BYTES_MIN  (128UL << 10)
#define DEPOT_HEAP_SHIFT 4 /* a sixteenth */

const char malloc_kept_mark[1];

static struct {
    spinlock_t lock;
    struct block *magazines; /* held: lock */
} __attribute__((aligned(64))) depot[CLASSES];
static size_t depot_bytes;

struct block *depot_take(unsigned int class)
{
    struct block *magazine = load_once(&depot[class].magazines);

    if (!magazine)
        return NULL;
    spin_lock(&depot[class].lock);
    magazine = depot[class].magazines;
    if (magazine)
        depot[class].magazines = magazine->next_magazine;
    spin_unlock(&depot[class].lock);
    if (magazine)
        (void)atomic_fetch_sub(&depot_bytes, magazine_bytes(class));
    return magazine;
}

bool depot_put(unsigned int class, struct block *magazine)
{
    size_t bytes = magazine_bytes(class);

    if (atomic_fetch_add(&depot_bytes, bytes) + bytes >
        MAX(DEPOT_BYTES_MIN, heap_size() >> DEPOT_HEAP_SHIFT)) {
        (void)atomic_fetch_sub(&depot_bytes, bytes);
        return false;
    }
    spin_lock(&depot[class].lock);
    magazine->next_magazine = depot[class].magazines;
    store_once(&depot[class].magazines, magazine);
    spin_unlock(&depot[class].lock);
    return true;
}

struct block *depot_take_all(struct block *others)
{
    for (unsigned int class = STEPS_MIN; class < CLASSES; class ++) {
        struct block *magazine;

        while ((magazine = depot_take(class)) != NULL) {
            magazine->next_magazine = others;
            others = magazine;
        }
    }
    return others;
}

bool depot_has(unsigned int class, const struct block *block)
{
    bool found = false;

    spin_lock(&depot[class].lock);
    for (struct block *m = depot[class].magazines; m && !found; m = m->next_magazine) {
        for (const struct block *it = m; it && !found; it = it->next)
            found = it == block;
    }
    spin_unlock(&depot[class].lock);
    return found;
}
