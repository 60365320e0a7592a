/* SPDX-License-Identifier: MIT
 *
 * Keys: a value per thread under a number, with a destructor for threads that end; and
 * pthread_once().
 */
#include "libc/pthread_private.h"
#include "mm/kmem.h"

struct key {
    unsigned int serial; /* odd while the key exists; values of an older one are NULL */
    void (*destructor)(void *value);
};

struct value {
    void *value;
    unsigned int serial;
};

static spinlock_t keys_lock = SPINLOCK_INIT;
static struct key keys[PTHREAD_KEYS_MAX]; /* changed under keys_lock */

static bool exists(pthread_key_t key)
{
    return key < PTHREAD_KEYS_MAX && load_once(&keys[key].serial) & 1;
}

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *value))
{
    bool enabled = spin_lock_save(&keys_lock);
    pthread_key_t i = 0;

    while (i < PTHREAD_KEYS_MAX && keys[i].serial & 1)
        i++;
    if (i < PTHREAD_KEYS_MAX) {
        keys[i].destructor = destructor;
        store_once(&keys[i].serial, keys[i].serial + 1);
    }
    spin_unlock_restore(&keys_lock, enabled);
    if (i == PTHREAD_KEYS_MAX)
        return EAGAIN;
    *key = i;
    return 0;
}

int pthread_key_delete(pthread_key_t key)
{
    bool enabled = spin_lock_save(&keys_lock);
    bool found = exists(key);

    if (found)
        store_once(&keys[key].serial, keys[key].serial + 1);
    spin_unlock_restore(&keys_lock, enabled);
    return found ? 0 : EINVAL;
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
    struct pthread *self = libc_self();

    if (!exists(key))
        return EINVAL;
    if (!self->values) {
        self->values = kmem_alloc(PTHREAD_KEYS_MAX * sizeof(*self->values));
        if (!self->values)
            return ENOMEM;
    }
    self->values[key] = (struct value){ (void *)(uintptr_t)value, load_once(&keys[key].serial) };
    return 0;
}

void *pthread_getspecific(pthread_key_t key)
{
    struct pthread *self = libc_self_if_any();

    if (!self || !self->values || key >= PTHREAD_KEYS_MAX ||
        self->values[key].serial != load_once(&keys[key].serial))
        return NULL;
    return self->values[key].value;
}

/* Once over all keys. False: there was nothing left. */
static bool run_round(struct pthread *self)
{
    bool any = false;

    for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; key++) {
        struct value *slot = &self->values[key];
        void *value = slot->value;
        void (*destructor)(void *value) = load_once(&keys[key].destructor);

        slot->value = NULL;
        if (value && destructor && exists(key) && slot->serial == load_once(&keys[key].serial)) {
            any = true;
            destructor(value);
        }
    }
    return any;
}

void libc_run_destructors(struct pthread *self)
{
    for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS && run_round(self); round++)
        ;
}

/* -- Once ------------------------------------------------------------------------------------ */

enum { ONCE_NEW, ONCE_RUNNING, ONCE_DONE };

static struct waitq once_waiters = WAITQ_INIT(once_waiters); /* of all pthread_once_t */

/* The routine was cancelled: as if it had not been called. */
static void once_undo(void *arg)
{
    pthread_once_t *once = arg;

    store_once(once, ONCE_NEW);
    waitq_wake_all(&once_waiters);
}

static void once_run(pthread_once_t *once, void (*routine)(void))
{
    pthread_cleanup_push(once_undo, once);
    routine();
    pthread_cleanup_pop(0);
    store_release(once, ONCE_DONE); /* pairs with pthread_once() */
    waitq_wake_all(&once_waiters);
}

static void once_wait(pthread_once_t *once)
{
    bool enabled = waitq_lock(&once_waiters);
    int rc = 0;

    while (load_once(once) == ONCE_RUNNING && rc == 0)
        rc = waitq_sleep_interruptible(&once_waiters, TIME_NEVER);
    waitq_unlock(&once_waiters, enabled);
    if (rc)
        libc_interrupted();
}

int pthread_once(pthread_once_t *once, void (*routine)(void))
{
    unsigned int state;

    while ((state = load_acquire(once)) != ONCE_DONE) {
        if (state != ONCE_NEW && state != ONCE_RUNNING)
            return EINVAL;
        if (state == ONCE_RUNNING)
            once_wait(once);
        else if (atomic_compare_exchange(once, &state, ONCE_RUNNING))
            once_run(once, routine);
    }
    return 0;
}
