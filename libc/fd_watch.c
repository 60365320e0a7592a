/* SPDX-License-Identifier: MIT
 *
 * Who is told when a file becomes ready.
 */
#include "lib/atomic.h"
#include "libc/fd.h"

void fd_watchers_init(struct fd_watchers *watchers)
{
    spin_lock_init(&watchers->lock, LOCK_WATCH);
    list_init(&watchers->watches);
}

void fd_watchers_changed(struct fd_watchers *watchers)
{
    struct list *it, *next;
    bool enabled;

    memory_barrier(); /* pairs with fd_watch_add(): one of the two sees the other */
    if (load_once(&watchers->watches.next) == &watchers->watches)
        return;
    enabled = spin_lock_save(&watchers->lock);
    list_for_each_safe (it, next, &watchers->watches) {
        struct fd_watch *watch = list_entry(it, struct fd_watch, link);

        watch->changed(watch);
    }
    spin_unlock_restore(&watchers->lock, enabled);
}

void fd_watchers_close(struct fd_watchers *watchers)
{
    for (;;) {
        bool enabled = spin_lock_save(&watchers->lock);
        struct list *first = list_take_first(&watchers->watches);
        struct fd_watch *watch = first ? list_entry(first, struct fd_watch, link) : NULL;

        spin_unlock_restore(&watchers->lock, enabled);
        if (!watch)
            return;
        watch->gone(watch);
    }
}

void fd_watch_add(struct fd_watchers *watchers, struct fd_watch *watch)
{
    bool enabled = spin_lock_save(&watchers->lock);

    list_add_last(&watchers->watches, &watch->link);
    spin_unlock_restore(&watchers->lock, enabled);
    memory_barrier(); /* pairs with fd_watchers_changed(); the caller looks at ready() now */
}

bool fd_watch_remove(struct fd_watchers *watchers, struct fd_watch *watch)
{
    bool enabled = spin_lock_save(&watchers->lock);
    bool there = !list_empty(&watch->link);

    list_remove(&watch->link);
    spin_unlock_restore(&watchers->lock, enabled);
    return there;
}
