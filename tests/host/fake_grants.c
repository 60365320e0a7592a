/* SPDX-License-Identifier: MIT
 *
 * The fake Xen's grant tables, version 1: the guest's own, which tests map from as another domain
 * would, and pages that other domains grant to the guest.  Follows Xen public/grant_table.h.
 */
#include <string.h>
#include "lib/atomic.h"
#include "tests/host/fake_xen.h"

#define ENTRIES_PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))
#define MAX_FRAMES        256
#define MAX_FOREIGN       64
#define MAX_MAPS          64

static mfn_t frames[MAX_FRAMES];
static unsigned int nr_frames;

static struct foreign {
    domid_t domid;
    grant_ref_t ref;
    mfn_t frame;
    bool readonly;
} foreign[MAX_FOREIGN];
static unsigned int nr_foreign;

static struct {
    void *virt; /* NULL: free */
} maps[MAX_MAPS];

struct grant_entry_v1 *fake_grant_entry(grant_ref_t ref)
{
    struct grant_entry_v1 *frame;

    if (ref / ENTRIES_PER_FRAME >= nr_frames)
        return NULL;
    frame = fake_frame_at(frames[ref / ENTRIES_PER_FRAME].n);
    return &frame[ref % ENTRIES_PER_FRAME];
}

static void grow(unsigned int count)
{
    while (nr_frames < count)
        frames[nr_frames++] = fake_xen_frame();
}

static long op_setup_table(struct gnttab_setup_table *op)
{
    if (op->nr_frames > fake_xen.max_grant_frames) {
        op->status = GNTST_general_error;
        return 0;
    }
    grow(op->nr_frames);
    for (unsigned int i = 0; i < op->nr_frames; i++)
        op->frame_list.p[i] = frames[i].n;
    op->status = GNTST_okay;
    return 0;
}

static long op_query_size(struct gnttab_query_size *op)
{
    grow(1); /* the toolstack wrote refs 0 and 1 */
    op->nr_frames = nr_frames;
    op->max_nr_frames = fake_xen.max_grant_frames;
    op->status = GNTST_okay;
    return 0;
}

static struct foreign *find_foreign(domid_t domid, grant_ref_t ref)
{
    for (unsigned int i = 0; i < nr_foreign; i++) {
        if (foreign[i].domid == domid && foreign[i].ref == ref)
            return &foreign[i];
    }
    return NULL;
}

static int16_t map_one(struct gnttab_map_grant_ref *op)
{
    struct foreign *grant = find_foreign(op->dom, op->ref);
    bool readonly = op->flags & GNTMAP_readonly;
    unsigned int slot = 0;

    if (!grant)
        return GNTST_bad_gntref;
    if (grant->readonly && !readonly)
        return GNTST_permission_denied;
    while (slot < MAX_MAPS && maps[slot].virt)
        slot++;
    if (slot == MAX_MAPS)
        return GNTST_no_space;
    if (!(op->flags & GNTMAP_host_map) || !fake_map((void *)op->host_addr, grant->frame, readonly))
        return GNTST_bad_virt_addr;
    maps[slot].virt = (void *)op->host_addr;
    op->handle = slot;
    return GNTST_okay;
}

static int16_t unmap_one(struct gnttab_unmap_grant_ref *op)
{
    if (op->handle >= MAX_MAPS || !maps[op->handle].virt)
        return GNTST_bad_handle;
    if ((void *)op->host_addr != maps[op->handle].virt)
        return GNTST_bad_virt_addr;
    fake_unmap(maps[op->handle].virt);
    maps[op->handle].virt = NULL;
    return GNTST_okay;
}

/* The page one side of a copy names; NULL: *status says why. */
static char *copy_page(domid_t domid, bool is_ref, grant_ref_t ref, xen_pfn_t gmfn, bool write,
                       int16_t *status)
{
    struct foreign *grant;

    *status = GNTST_bad_page;
    if (!is_ref)
        return domid == DOMID_SELF ? fake_frame_at(gmfn) : NULL;
    grant = find_foreign(domid, ref);
    *status = !grant ? GNTST_bad_gntref : GNTST_permission_denied;
    return grant && !(write && grant->readonly) ? fake_frame_at(grant->frame.n) : NULL;
}

static int16_t copy_one(struct gnttab_copy *op)
{
    int16_t status;
    char *from, *to;

    if (op->source.offset + op->len > PAGE_SIZE || op->dest.offset + op->len > PAGE_SIZE)
        return GNTST_bad_copy_arg;
    from = copy_page(op->source.domid, op->flags & GNTCOPY_source_gref, op->source.u.ref,
                     op->source.u.gmfn, false, &status);
    if (!from)
        return status;
    to = copy_page(op->dest.domid, op->flags & GNTCOPY_dest_gref, op->dest.u.ref, op->dest.u.gmfn,
                   true, &status);
    if (!to)
        return status;
    memcpy(to + op->dest.offset, from + op->source.offset, op->len);
    return GNTST_okay;
}

static long op_locked(unsigned int cmd, void *arg, unsigned int count)
{
    struct gnttab_map_grant_ref *map = arg;
    struct gnttab_unmap_grant_ref *unmap = arg;
    struct gnttab_copy *copy = arg;

    switch (cmd) {
    case GNTTABOP_setup_table:
        return count == 1 ? op_setup_table(arg) : -XEN_EINVAL;
    case GNTTABOP_query_size:
        return count == 1 ? op_query_size(arg) : -XEN_EINVAL;
    case GNTTABOP_map_grant_ref:
        for (unsigned int i = 0; i < count; i++)
            map[i].status = map_one(&map[i]);
        return 0;
    case GNTTABOP_unmap_grant_ref:
        for (unsigned int i = 0; i < count; i++)
            unmap[i].status = unmap_one(&unmap[i]);
        return 0;
    case GNTTABOP_copy:
        for (unsigned int i = 0; i < count; i++)
            copy[i].status = copy_one(&copy[i]);
        return 0;
    default:
        return -XEN_ENOSYS;
    }
}

long fake_grant_op(unsigned int cmd, void *arg, unsigned int count)
{
    long rc;

    fake_xen_lock();
    rc = op_locked(cmd, arg, count);
    fake_xen_unlock();
    return rc;
}

void *fake_grant_remote_map(domid_t domid, grant_ref_t ref, bool readonly)
{
    struct grant_entry_v1 *entry = fake_grant_entry(ref);
    uint16_t flags;

    if (!entry)
        return NULL;
    flags = load_acquire(&entry->flags);
    do {
        if ((flags & GTF_type_mask) != GTF_permit_access || entry->domid != domid ||
            (!readonly && flags & GTF_readonly))
            return NULL;
    } while (!atomic_compare_exchange(&entry->flags, &flags,
                                      flags | GTF_reading | (readonly ? 0 : GTF_writing)));
    return fake_frame_at(entry->frame);
}

void fake_grant_remote_unmap(grant_ref_t ref)
{
    atomic_fetch_and(&fake_grant_entry(ref)->flags, (uint16_t) ~(GTF_reading | GTF_writing));
}

void *fake_foreign_page(domid_t domid, grant_ref_t ref, bool readonly)
{
    foreign[nr_foreign] = (struct foreign){ domid, ref, fake_xen_frame(), readonly };
    return fake_frame_at(foreign[nr_foreign++].frame.n);
}

unsigned int fake_grant_maps(void)
{
    unsigned int count = 0;

    for (unsigned int i = 0; i < MAX_MAPS; i++)
        count += maps[i].virt != NULL;
    return count;
}
