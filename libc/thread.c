/* SPDX-License-Identifier: MIT
 *
 * Threads that use the C library: newlib keeps a little heap memory per thread, in thread-local
 * variables, and only frees it when told that the thread is over.
 */
#include <reent.h>
#include "kernel/thread.h"
#include "mm/kmem.h"
#include "xenolith.h"

struct start {
    void (*fn)(void *arg);
    void *arg;
};

static void run(void *arg)
{
    struct start start = *(struct start *)arg;

    kmem_free(arg);
    start.fn(start.arg);
    _reclaim_reent(_REENT);
}

int xenolith_thread(struct thread **thread, const char *name, void (*fn)(void *arg), void *arg)
{
    struct start *start = kmem_alloc(sizeof(*start));
    int rc;

    if (!start)
        return -XEN_ENOMEM;
    *start = (struct start){ fn, arg };
    rc = thread_create(thread, name, THREAD_STACK_ORDER, PRIORITY_NORMAL, run, start);
    if (rc)
        kmem_free(start);
    return rc;
}
