/* SPDX-License-Identifier: MIT
 *
 * Our own grant table: lending pages and taking them back.  Follows Xen public/grant_table.h,
 * version 1.
 *
 * The table is mapped when the first page is lent and grows a frame at a time.  Which refs are free
 * is kept apart from it: what Xen and other domains can see decides nothing.
 */
#include "grant/grant.h"
#include "arch/grant.h"
#include "hypercall/grant_table.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/spinlock.h"
#include "mm/address_space.h"
#include "mm/kmem.h"
#include "mm/page.h"

#define REFS_PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))
#define MAX_FRAMES     256 /* of a table; xl's default limit is 64 */
#define IN_USE         UINT32_MAX

struct slot {
    void *page;       /* of a parked ref: to be freed with it */
    grant_ref_t next; /* in the free or the parked list; GRANT_NONE: last; or IN_USE */
};

static spinlock_t lock = SPINLOCK_INIT_RANK(LOCK_GRANT);
/* held: lock, all of these */
static struct grant_entry_v1 *table; /* NULL until first needed, then fixed; shared with Xen */
static struct slot *slots[MAX_FRAMES];
static unsigned int nr_frames, max_frames, used, parked;
static grant_ref_t free_head, parked_head, parked_tail; /* GRANT_NONE: empty */

int grant_init(void)
{
    return 0; /* a domain that lends nothing pays nothing: see start() */
}

/* All functions below down to the public ones: held: lock. */

static struct slot *slot_of(grant_ref_t ref)
{
    kassert(ref >= GNTTAB_NR_RESERVED_ENTRIES && ref / REFS_PER_FRAME < nr_frames);
    return &slots[ref / REFS_PER_FRAME][ref % REFS_PER_FRAME];
}

static void put_free(grant_ref_t ref)
{
    slot_of(ref)->next = free_head;
    free_head = ref;
}

/* The first use: learn the limit, reserve addresses for a table of that size. */
__attribute__((cold)) static int start(void)
{
    struct gnttab_query_size size = { .status = GNTST_general_error };
    int rc = hypercall_grant_query_size(&size);

    if (rc || size.status != GNTST_okay) {
        log_error("grant: can't learn the table's size: %s, status %d", error_name(rc),
                  size.status);
        return rc ? rc : -XEN_EIO;
    }
    max_frames = MAX(MIN(size.max_nr_frames, MAX_FRAMES), 1);
    table = vspace_alloc(max_frames);
    return table ? 0 : -XEN_ENOMEM;
}

__attribute__((cold)) static int grow(void)
{
    grant_ref_t first = nr_frames * REFS_PER_FRAME;
    struct slot *fresh;
    int rc;

    if (table && nr_frames == max_frames)
        return -XEN_ENOSPC;
    rc = table ? 0 : start();
    if (rc)
        return rc;
    fresh = kmem_alloc(REFS_PER_FRAME * sizeof(*fresh));
    if (!fresh)
        return -XEN_ENOMEM;
    rc = arch_grant_map_frame((char *)table + nr_frames * PAGE_SIZE, nr_frames);
    if (rc) {
        kmem_free(fresh);
        return rc;
    }
    slots[nr_frames++] = fresh;
    for (grant_ref_t ref = first + REFS_PER_FRAME; ref-- > first;) { /* low refs first */
        if (ref >= GNTTAB_NR_RESERVED_ENTRIES)
            put_free(ref);
    }
    return 0;
}

static bool revoke(grant_ref_t ref)
{
    if (grant_forbid(ref))
        return false;
    put_free(ref);
    used--;
    return true;
}

static void park(grant_ref_t ref, void *page)
{
    struct slot *slot = slot_of(ref);

    slot->page = page;
    slot->next = GRANT_NONE;
    if (parked_head)
        slot_of(parked_tail)->next = ref;
    else
        parked_head = ref;
    parked_tail = ref;
    parked++;
}

/* Look at one parked page: every call gives the oldest a chance, so none costs much. */
static void retry_parked(void)
{
    grant_ref_t ref = parked_head;
    struct slot *slot;

    if (!ref)
        return;
    slot = slot_of(ref);
    parked_head = slot->next;
    parked--;
    slot->next = IN_USE;
    if (revoke(ref))
        pages_free(slot->page, 0);
    else
        park(ref, slot->page);
}

int grant_allow(grant_ref_t ref, domid_t domid, const void *page, bool readonly)
{
    unsigned long frame = virt_to_mfn(page).n;
    struct grant_entry_v1 *entry = &table[ref];

    if (frame > UINT32_MAX) /* more than version 1 can name */
        return -XEN_EINVAL;
    entry->frame = frame;
    entry->domid = domid;
    /* Last: with it Xen may read the rest. */
    store_release(&entry->flags, GTF_permit_access | (readonly ? GTF_readonly : 0));
    return 0;
}

/* Forbid access, unless somebody has the page mapped or is copying from it in this moment. */
int grant_forbid(grant_ref_t ref)
{
    struct grant_entry_v1 *entry = &table[ref];
    uint16_t flags = load_once(&entry->flags);

    do {
        if (flags & (GTF_reading | GTF_writing))
            return -XEN_EBUSY;
    } while (!atomic_compare_exchange(&entry->flags, &flags, 0));
    return 0;
}

int grant_reserve(grant_ref_t *ref)
{
    bool enabled = spin_lock_save(&lock);
    int rc = 0;

    retry_parked();
    if (!free_head)
        rc = grow();
    if (rc == 0) {
        *ref = free_head;
        free_head = slot_of(*ref)->next;
        slot_of(*ref)->next = IN_USE;
        used++;
    }
    spin_unlock_restore(&lock, enabled);
    return rc;
}

int grant_access(domid_t domid, const void *page, bool readonly, grant_ref_t *ref)
{
    int rc = grant_reserve(ref);

    if (rc)
        return rc;
    rc = grant_allow(*ref, domid, page, readonly);
    if (rc) {
        grant_end(*ref);
        log_error("grant: frame %lx is beyond what version 1 can name", virt_to_mfn(page).n);
    }
    return rc;
}

int grant_end(grant_ref_t ref)
{
    bool enabled = spin_lock_save(&lock);
    bool ended;

    retry_parked();
    kassert(slot_of(ref)->next == IN_USE);
    ended = revoke(ref);
    spin_unlock_restore(&lock, enabled);
    return ended ? 0 : -XEN_EBUSY;
}

void grant_end_and_free(grant_ref_t ref, void *page)
{
    bool enabled = spin_lock_save(&lock);

    retry_parked();
    kassert(slot_of(ref)->next == IN_USE);
    if (revoke(ref))
        pages_free(page, 0);
    else
        park(ref, page);
    spin_unlock_restore(&lock, enabled);
}

void grant_get_stats(struct grant_stats *stats)
{
    bool enabled = spin_lock_save(&lock);

    *stats = (struct grant_stats){
        .frames = nr_frames, .max_frames = max_frames, .used = used, .parked = parked
    };
    spin_unlock_restore(&lock, enabled);
}
