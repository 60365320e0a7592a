/* SPDX-License-Identifier: MIT
 *
 * Pages that were sent and that a backend still maps after it has closed.  Others may be using
 * such a page (a packet to be sent again), so it is not parked like other granted pages but kept
 * here with a reference of its own until the grant can be ended or nobody else is left.
 */
#include "grant/grant.h"
#include "kernel/mutex.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "netfront/internal.h"

struct lingering {
    struct list link;
    struct netbuf *buf;
    grant_ref_t ref;
};

static struct mutex mutex = MUTEX_INIT(mutex);
static struct list pages = LIST_INIT(pages); /* held: mutex */

void netfront_linger(grant_ref_t ref, struct netbuf *buf)
{
    struct lingering *page = kmem_alloc(sizeof(*page));

    if (!page) {
        log_error("netfront: no memory to remember grant %u, which is still in use: a page is lost",
                  ref);
        return;
    }
    page->ref = ref;
    page->buf = buf;
    mutex_lock(&mutex);
    list_add_last(&pages, &page->link);
    mutex_unlock(&mutex);
}

static bool is_over(const struct lingering *page)
{
    if (grant_end(page->ref) == 0)
        netbuf_put(page->buf);
    else if (load_acquire(&page->buf->refs) == 1) /* only ours: nobody can add one */
        grant_end_and_free(page->ref, netbuf_take_page(page->buf));
    else
        return false;
    return true;
}

unsigned int netfront_lingering(void)
{
    struct list *it, *next;
    unsigned int count = 0;

    mutex_lock(&mutex);
    list_for_each_safe (it, next, &pages) {
        struct lingering *page = list_entry(it, struct lingering, link);

        if (is_over(page)) {
            list_remove(it);
            kmem_free(page);
        } else {
            count++;
        }
    }
    mutex_unlock(&mutex);
    return count;
}
