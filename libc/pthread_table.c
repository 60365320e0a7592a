/* SPDX-License-Identifier: MIT
 *
 * The table of threads: from a pthread_t to the thread, or to nothing when it is gone.  A handle is
 * the slot's number with a serial number above, so that it is not taken for a later thread's.
 */
#include <string.h>
#include "lib/panic.h"
#include "libc/internal.h"
#include "libc/pthread_private.h"
#include "mm/kmem.h"

#define SLOT_BITS  16
#define SLOT_FIRST 32 /* how many there are at first; doubled as needed */
#define NO_SLOT    UINT32_MAX
#define SPARE_MAX  4

struct slot {
    struct pthread *thread; /* NULL: free */
    uint32_t next_free;
};

spinlock_t libc_threads_lock = SPINLOCK_INIT_RANK(LOCK_POSIX);
struct list libc_threads = LIST_INIT(libc_threads);

/* held: libc_threads_lock */
static struct slot *slots;
static uint32_t slot_count;
static uint32_t free_slot = NO_SLOT;
static unsigned long serial;
static struct pthread *spare; /* of threads that are gone, linked by arg */
static unsigned int spare_count;

/* Twice as many slots. 0 or EAGAIN. */
static int grow(void)
{
    uint32_t before = load_once(&slot_count), count = before ? 2 * before : SLOT_FIRST;
    struct slot *larger, *unused;
    bool enabled;

    if (count > PTHREAD_THREADS_MAX || !(larger = kmem_alloc(count * sizeof(*larger))))
        return EAGAIN;
    enabled = spin_lock_save(&libc_threads_lock);
    unused = larger;
    if (slot_count == before) { /* or somebody else was quicker */
        memcpy(larger, slots, before * sizeof(*slots));
        for (uint32_t i = before; i < count; i++)
            larger[i].next_free = i + 1 < count ? i + 1 : free_slot;
        free_slot = before;
        unused = slots;
        slots = larger;
        slot_count = count;
    }
    spin_unlock_restore(&libc_threads_lock, enabled);
    kmem_free(unused);
    return 0;
}

/* Memory for a thread that is in the table then. held: libc_threads_lock */
static struct pthread *take_spare(void)
{
    struct pthread *self = spare;

    if (!self)
        return kmem_alloc(sizeof(*self));
    spare = self->arg;
    spare_count--;
    *self = (struct pthread){ 0 };
    return self;
}

struct pthread *libc_thread_new(void)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct pthread *self;
    uint32_t slot;

    while (free_slot == NO_SLOT) {
        spin_unlock_restore(&libc_threads_lock, enabled);
        if (grow())
            return NULL;
        enabled = spin_lock_save(&libc_threads_lock);
    }
    self = take_spare();
    if (!self) {
        spin_unlock_restore(&libc_threads_lock, enabled);
        return NULL;
    }
    slot = free_slot;
    free_slot = slots[slot].next_free;
    slots[slot].thread = self;
    self->handle = ++serial << SLOT_BITS | slot;
    list_add_last(&libc_threads, &self->all);
    spin_unlock_restore(&libc_threads_lock, enabled);
    return self;
}

struct pthread *libc_thread_find(pthread_t handle)
{
    uint32_t slot = handle & ((1u << SLOT_BITS) - 1);
    struct pthread *thread = slot < slot_count ? slots[slot].thread : NULL;

    return thread && thread->handle == handle ? thread : NULL;
}

void libc_thread_forget(struct pthread *self, bool enabled)
{
    uint32_t slot = self->handle & ((1u << SLOT_BITS) - 1);
    struct value *values = self->values;
    bool keep = spare_count < SPARE_MAX;

    list_remove(&self->all);
    slots[slot] = (struct slot){ .next_free = free_slot };
    free_slot = slot;
    if (keep) {
        self->arg = spare;
        spare = self;
        spare_count++;
    }
    spin_unlock_restore(&libc_threads_lock, enabled);
    if (values)
        kmem_free(values);
    if (!keep)
        kmem_free(self);
}

/* `thread` was not made by pthread_create(). NULL: no memory. */
static struct pthread *adopt(struct thread *thread)
{
    struct pthread *self = libc_thread_new();
    bool enabled;

    if (!self)
        return NULL;
    enabled = spin_lock_save(&libc_threads_lock);
    if (thread_private(thread)) { /* by another thread meanwhile, which only happens to main */
        libc_thread_forget(self, enabled);
        return thread_private(thread);
    }
    self->thread = thread;
    self->adopted = true;
    libc_read_scheduling(self);
    thread_set_private(thread, self);
    spin_unlock_restore(&libc_threads_lock, enabled);
    return self;
}

struct pthread *libc_self(void)
{
    struct pthread *self = libc_self_if_any();

    if (!self) {
        self = adopt(current_thread());
        if (!self)
            panic("thread %s: no memory to make it a POSIX thread", thread_name(current_thread()));
        thread_allow_async(true);
    }
    return self;
}

void libc_adopt_main(void)
{
    struct thread *main_thread = libc_main_thread();

    if (main_thread == current_thread())
        libc_self();
    else if (main_thread && !thread_private(main_thread))
        adopt(main_thread);
}

pthread_t pthread_self(void)
{
    return libc_self()->handle;
}

int pthread_equal(pthread_t one, pthread_t other)
{
    return one == other;
}
