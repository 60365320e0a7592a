/* SPDX-License-Identifier: MIT
 *
 * What runs at exit: newlib's atexit(), on_exit() and C++'s __cxa_atexit() end here.  newlib's own
 * list has room for 32, which a few C++ files fill; this one ends when memory does.
 */
#include <stdlib.h>
#include "lib/spinlock.h"
#include "libc/internal.h"
#include "mm/kmem.h"

/* newlib's numbers for who registered. */
enum handler_type { HANDLER_ATEXIT, HANDLER_ON_EXIT, HANDLER_CXA };

struct handler {
    struct handler *next;
    enum handler_type type;
    void (*fn)(void);
    void *arg, *dso;
};

static spinlock_t handlers_lock;
static struct handler *handlers; /* held: handlers_lock; the newest first */

int __register_exitproc(int type, void (*fn)(void), void *arg, void *dso)
{
    struct handler *handler = kmem_alloc(sizeof(*handler));
    bool enabled;

    if (!handler)
        return -1;
    *handler = (struct handler){ .type = type, .fn = fn, .arg = arg, .dso = dso };
    enabled = spin_lock_save(&handlers_lock);
    handler->next = handlers;
    handlers = handler;
    spin_unlock_restore(&handlers_lock, enabled);
    return 0;
}

/* Off the list before it runs, so that a handler may call exit() or atexit(). */
static struct handler *take(const void *dso)
{
    bool enabled = spin_lock_save(&handlers_lock);
    struct handler **at = &handlers, *handler;

    while (dso && *at && (*at)->dso != dso)
        at = &(*at)->next;
    handler = *at;
    if (handler)
        *at = handler->next;
    spin_unlock_restore(&handlers_lock, enabled);
    return handler;
}

void __call_exitprocs(int code, void *dso)
{
    struct handler *handler;

    while ((handler = take(dso)) != NULL) {
        if (handler->type == HANDLER_ATEXIT)
            handler->fn();
        else if (handler->type == HANDLER_ON_EXIT)
            ((void (*)(int, void *))handler->fn)(code, handler->arg);
        else
            ((void (*)(void *))handler->fn)(handler->arg);
        kmem_free(handler);
    }
}
