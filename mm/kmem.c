/* SPDX-License-Identifier: MIT
 *
 * The kernel's heap.  Objects of one size class share pages; the header at a page's start says
 * which class. An object over half a page gets pages of its own with the same header, so that
 * kmem_free() finds out from the page alone.
 */
#include <string.h>
#include "lib/list.h"
#include "lib/panic.h"
#include "lib/spinlock.h"
#include "mm/kmem.h"
#include "mm/page.h"

#define SMALLEST_SHIFT 5
#define SMALLEST       (1UL << SMALLEST_SHIFT)
#define CLASSES        6 /* 32 to 1024 bytes */
#define MAGIC          0x6b6d656d

struct slab {
    uint32_t magic;
    uint16_t large; /* 1 + order of a block that is one object; 0: a slab */
    uint16_t size_class;
    uint32_t used;    /* held: lock; objects handed out */
    void *free;       /* held: lock; chain through the free objects */
    struct list link; /* held: lock; in partial[size_class] while something is free */
    unsigned long given[PAGE_SIZE / SMALLEST / BITS_PER_LONG]; /* held: lock; which these are */
};
#define HEADER ROUND_UP(sizeof(struct slab), 16)

static spinlock_t lock = SPINLOCK_INIT_RANK(LOCK_HEAP);
static struct list partial[CLASSES] = {
    /* held: lock; slabs with a free object */
    LIST_INIT(partial[0]), LIST_INIT(partial[1]), LIST_INIT(partial[2]),
    LIST_INIT(partial[3]), LIST_INIT(partial[4]), LIST_INIT(partial[5]),
};

static unsigned int class_of(size_t size)
{
    unsigned int size_class = 0;

    while (size_class < CLASSES && SMALLEST << size_class < size)
        size_class++;
    return size_class;
}

__attribute__((cold)) static struct slab *slab_new(unsigned int size_class)
{
    struct slab *slab = pages_alloc(0);
    size_t size = SMALLEST << size_class;

    if (!slab)
        return NULL;
    *slab = (struct slab){ .magic = MAGIC, .size_class = size_class };
    for (size_t at = HEADER; at + size <= PAGE_SIZE; at += size) {
        void **object = (void **)((char *)slab + at);

        *object = slab->free;
        slab->free = object;
    }
    return slab;
}

/* Which object of its slab `ptr` is. */
static unsigned int object_index(const struct slab *slab, const void *ptr)
{
    size_t at = (const char *)ptr - (const char *)slab - HEADER;
    unsigned int shift = SMALLEST_SHIFT + slab->size_class;

    kassert(at < PAGE_SIZE - HEADER && at % (1UL << shift) == 0);
    return at >> shift;
}

__attribute__((cold)) static void *alloc_large(size_t size)
{
    struct slab *slab;
    unsigned int order = 0;

    if (size > (PAGE_SIZE << PAGE_MAX_ORDER) - HEADER)
        return NULL; /* here and not in the loop: size + HEADER could wrap */
    while (PAGE_SIZE << order < size + HEADER)
        order++;
    slab = pages_alloc(order);
    if (!slab)
        return NULL;
    *slab = (struct slab){ .magic = MAGIC, .large = 1 + order };
    return memset((char *)slab + HEADER, 0, size);
}

void *kmem_alloc(size_t size)
{
    unsigned int size_class = class_of(size);
    struct slab *slab;
    void **object;
    bool enabled;

    if (size_class >= CLASSES)
        return alloc_large(size);
    enabled = spin_lock_save(&lock);
    if (list_empty(&partial[size_class])) {
        slab = slab_new(size_class);
        if (slab)
            list_add_first(&partial[size_class], &slab->link);
    }
    slab = list_empty(&partial[size_class])
               ? NULL
               : list_entry(partial[size_class].next, struct slab, link);
    object = slab ? slab->free : NULL;
    if (object) {
        slab->free = *object;
        slab->used++;
        bit_test_and_set(slab->given, object_index(slab, object));
        if (!slab->free)
            list_remove(&slab->link);
    }
    spin_unlock_restore(&lock, enabled);
    return object ? memset(object, 0, size) : NULL;
}

void kmem_free(void *ptr)
{
    struct slab *slab = (struct slab *)((unsigned long)ptr & PAGE_MASK);
    unsigned int index;
    bool enabled, empty;

    if (!ptr)
        return;
    kassert(slab->magic == MAGIC);
    if (slab->large) {
        kassert((char *)ptr == (char *)slab + HEADER);
        slab->magic = 0; /* freeing it again is noticed */
        pages_free(slab, slab->large - 1);
        return;
    }
    index = object_index(slab, ptr);
    enabled = spin_lock_save(&lock);
    kassert(bit_test_and_clear(slab->given, index)); /* else it was freed before */
    if (!slab->free)
        list_add_first(&partial[slab->size_class], &slab->link);
    *(void **)ptr = slab->free;
    slab->free = ptr;
    slab->used--;
    /* The last of its class stays: or one object, made and freed in turn, would make a slab each
     * time. */
    empty = slab->used == 0 && partial[slab->size_class].next != partial[slab->size_class].prev;
    if (empty) {
        list_remove(&slab->link);
        slab->magic = 0;
    }
    spin_unlock_restore(&lock, enabled);
    if (empty)
        pages_free(slab, 0);
}
