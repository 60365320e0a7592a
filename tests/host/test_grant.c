/* SPDX-License-Identifier: MIT
 *
 * Our own grant table: lending, taking back, parking, growing.
 */
#include <pthread.h>
#include "arch/clock.h"
#include "grant/grant.h"
#include "hypercall/grant_table.h"
#include "lib/atomic.h"
#include "mm/page.h"
#include "tests/host/test.h"

#define REMOTE 7

static grant_ref_t lend(void *page, bool readonly)
{
    grant_ref_t ref = GRANT_NONE;

    CHECK_EQ(grant_access(REMOTE, page, readonly, &ref), 0);
    CHECK_GE(ref, GNTTAB_NR_RESERVED_ENTRIES);
    return ref;
}

static struct grant_stats stats_now(void)
{
    struct grant_stats stats;

    grant_get_stats(&stats);
    return stats;
}

TEST(init_costs_nothing)
{
    CHECK_EQ(grant_init(), 0);
    for (unsigned int cmd = 0; cmd < 16; cmd++)
        CHECK_EQ(fake_hypercalls(__HYPERVISOR_grant_table_op, cmd), 0);
    CHECK_EQ(fake_allocs(), 0);
    CHECK_EQ(stats_now().frames, 0);
}

TEST(lent_page_is_seen_and_taken_back)
{
    char *page = page_alloc_zeroed(), *remote;
    grant_ref_t ref = lend(page, false);

    remote = fake_grant_remote_map(REMOTE, ref, false);
    CHECK(remote != NULL);
    strcpy(page, "hello");
    CHECK_STR(remote, "hello");
    fake_grant_remote_unmap(ref);
    CHECK_EQ(grant_end(ref), 0);
    CHECK(fake_grant_remote_map(REMOTE, ref, true) == NULL);
    CHECK_EQ(stats_now().used, 0);
    pages_free(page, 0);
}

TEST(only_the_named_domain_with_the_named_right)
{
    void *page = page_alloc_zeroed();
    grant_ref_t ref = lend(page, true);

    CHECK(fake_grant_remote_map(REMOTE + 1, ref, true) == NULL);
    CHECK(fake_grant_remote_map(REMOTE, ref, false) == NULL);
    CHECK(fake_grant_remote_map(REMOTE, ref, true) != NULL);
}

TEST(end_while_the_backend_reads_is_refused)
{
    void *page = page_alloc_zeroed();
    grant_ref_t ref = lend(page, true), other;

    fake_grant_remote_map(REMOTE, ref, true);
    CHECK_EQ(grant_end(ref), -XEN_EBUSY);
    CHECK_EQ(fake_grant_entry(ref)->flags, GTF_permit_access | GTF_readonly | GTF_reading);
    other = lend(page, true);
    CHECK_NE(other, ref); /* the busy ref is not handed out */
    fake_grant_remote_unmap(ref);
    CHECK_EQ(grant_end(ref), 0);
    CHECK_EQ(grant_end(other), 0);
}

TEST(reserved_entries_are_the_toolstacks)
{
    grant_ref_t ref = lend(page_alloc_zeroed(), false);

    CHECK_EQ(ref, GNTTAB_NR_RESERVED_ENTRIES);
    for (grant_ref_t i = 0; i < GNTTAB_NR_RESERVED_ENTRIES; i++) {
        CHECK_EQ(fake_grant_entry(i)->flags, 0);
        CHECK_EQ(fake_grant_entry(i)->frame, 0);
    }
    CHECK_ENDS_DOMAIN(grant_end(1));
    CHECK(strstr(fake_xen.last_words, "assertion") != NULL);
}

TEST(ending_twice_is_our_own_fault)
{
    grant_ref_t ref = lend(page_alloc_zeroed(), false);

    CHECK_EQ(grant_end(ref), 0);
    CHECK_ENDS_DOMAIN(grant_end(ref));
}

TEST(table_grows_to_its_limit)
{
    void *page = page_alloc_zeroed();
    grant_ref_t ref, refs[3 * 512];
    unsigned int count = 0;
    int rc;

    fake_xen.max_grant_frames = 3;
    while ((rc = grant_access(REMOTE, page, false, &ref)) == 0)
        refs[count++] = ref;
    CHECK_EQ(rc, -XEN_ENOSPC);
    CHECK_EQ(count, 3 * 512 - GNTTAB_NR_RESERVED_ENTRIES);
    CHECK_EQ(stats_now().frames, 3);
    CHECK_EQ(stats_now().max_frames, 3);
    CHECK_EQ(fake_grant_entry(1500)->flags, GTF_permit_access);
    while (count)
        CHECK_EQ(grant_end(refs[--count]), 0);
    CHECK_EQ(stats_now().used, 0);
    CHECK_EQ(grant_access(REMOTE, page, false, &ref), 0);
}

TEST(no_ref_is_handed_out_twice)
{
    static bool given[2 * 512];
    void *page = page_alloc_zeroed();

    for (unsigned int i = 0; i < 1000; i++) {
        grant_ref_t ref = lend(page, false);

        CHECK(!given[ref]);
        given[ref] = true;
    }
}

TEST(no_memory_to_grow)
{
    void *page = page_alloc_zeroed();
    grant_ref_t ref;

    for (long n = 0; n < 2; n++) {
        fake_alloc_fail_after(n);
        CHECK_EQ(grant_access(REMOTE, page, false, &ref), -XEN_ENOMEM);
    }
    fake_alloc_fail_after(-1);
    CHECK_EQ(grant_access(REMOTE, page, false, &ref), 0);
}

static long refuse_size(unsigned int nr, unsigned long cmd, void *arg, unsigned long count)
{
    (void)count;
    if (nr != __HYPERVISOR_grant_table_op || cmd != GNTTABOP_query_size)
        return FAKE_GO_ON;
    ((struct gnttab_query_size *)arg)->status = GNTST_permission_denied;
    return 0;
}

TEST(xen_will_not_tell_the_size)
{
    void *page = page_alloc_zeroed();
    grant_ref_t ref;

    fake_xen.hook = refuse_size;
    CHECK_EQ(grant_access(REMOTE, page, false, &ref), -XEN_EIO);
    fake_xen.hook = NULL;
    CHECK_EQ(grant_access(REMOTE, page, false, &ref), 0);
}

static long one_frame_at_most(unsigned int nr, unsigned long cmd, void *arg, unsigned long count)
{
    struct gnttab_query_size *op = arg;

    (void)count;
    if (nr != __HYPERVISOR_grant_table_op || cmd != GNTTABOP_query_size)
        return FAKE_GO_ON;
    op->nr_frames = op->max_nr_frames = 1;
    op->status = GNTST_okay;
    return 0;
}

/* Only so many addresses were set aside: more frames, even if Xen has them, would lie over others'.
 */
TEST(limit_is_the_one_that_was_told)
{
    void *page = page_alloc_zeroed();
    grant_ref_t ref;
    int rc;

    fake_xen.hook = one_frame_at_most;
    while ((rc = grant_access(REMOTE, page, false, &ref)) == 0)
        ;
    CHECK_EQ(rc, -XEN_ENOSPC);
    CHECK_EQ(stats_now().used, 512 - GNTTAB_NR_RESERVED_ENTRIES);
}

static long refuse_growth(unsigned int nr, unsigned long cmd, void *arg, unsigned long count)
{
    struct gnttab_setup_table *op = arg;

    (void)count;
    if (nr != __HYPERVISOR_grant_table_op || cmd != GNTTABOP_setup_table || op->nr_frames < 2)
        return FAKE_GO_ON;
    op->status = GNTST_general_error;
    return 0;
}

TEST(xen_grants_fewer_frames_than_it_said)
{
    void *page = page_alloc_zeroed();
    unsigned int count = 0;
    grant_ref_t ref;
    int rc;

    fake_xen.hook = refuse_growth;
    while ((rc = grant_access(REMOTE, page, false, &ref)) == 0)
        count++;
    CHECK_EQ(rc, -XEN_ENOSPC);
    CHECK_EQ(count, 512 - GNTTAB_NR_RESERVED_ENTRIES);
}

TEST(page_is_freed_at_once_when_nobody_has_it)
{
    void *page = pages_alloc(0);
    grant_ref_t ref = lend(page, false);
    unsigned long live = fake_alloc_live();

    grant_end_and_free(ref, page);
    CHECK_EQ(fake_alloc_live(), live - 1);
}

TEST(parked_page_is_freed_when_the_backend_lets_go)
{
    char *page = pages_alloc(0), *remote;
    grant_ref_t ref = lend(page, false), other;
    unsigned long live = fake_alloc_live();

    remote = fake_grant_remote_map(REMOTE, ref, false);
    grant_end_and_free(ref, page);
    CHECK_EQ(fake_alloc_live(), live);
    CHECK_EQ(stats_now().parked, 1);
    remote[0] = 'x';
    CHECK_EQ(page[0], 'x'); /* still a page of its own: the sanitizer would object */
    fake_grant_remote_unmap(ref);
    other = lend(pages_alloc(0), false); /* any call looks */
    CHECK_EQ(other, ref);
    CHECK_EQ(stats_now().parked, 0);
    CHECK_EQ(fake_alloc_live(), live); /* one less, one more */
}

TEST(parked_ref_is_not_the_callers_any_more)
{
    void *page = pages_alloc(0);
    grant_ref_t ref = lend(page, false);

    fake_grant_remote_map(REMOTE, ref, false);
    grant_end_and_free(ref, page);
    CHECK_ENDS_DOMAIN(grant_end(ref));
}

TEST(parked_pages_take_turns)
{
    void *pages[4];
    grant_ref_t refs[4], ref;
    unsigned long live;

    for (unsigned int i = 0; i < 4; i++) {
        pages[i] = pages_alloc(0);
        refs[i] = lend(pages[i], false);
        fake_grant_remote_map(REMOTE, refs[i], false);
    }
    for (unsigned int i = 0; i < 4; i++)
        grant_end_and_free(refs[i], pages[i]);
    CHECK_EQ(stats_now().parked, 4);
    CHECK_EQ(stats_now().used, 4);
    live = fake_alloc_live();
    fake_grant_remote_unmap(refs[2]); /* the first one never lets go */
    for (unsigned int i = 0; i < 5; i++) {
        void *page = pages_alloc(0);

        CHECK_EQ(grant_access(REMOTE, page, false, &ref), 0);
        grant_end_and_free(ref, page);
    }
    CHECK_EQ(stats_now().parked, 3);
    CHECK_EQ(stats_now().used, 3);
    CHECK_EQ(fake_alloc_live(), live - 1);
}

TEST(full_table_lives_on_parked_refs)
{
    void *page = page_alloc_zeroed(), *last = pages_alloc(0);
    grant_ref_t ref, busy = lend(last, false);

    fake_xen.max_grant_frames = 1;
    fake_grant_remote_map(REMOTE, busy, false);
    grant_end_and_free(busy, last);
    while (stats_now().used < 512 - GNTTAB_NR_RESERVED_ENTRIES)
        CHECK_EQ(grant_access(REMOTE, page, false, &ref), 0);
    fake_grant_remote_unmap(busy);
    CHECK_EQ(grant_access(REMOTE, page, false, &ref), 0);
    CHECK_EQ(ref, busy);
}

/* The other side maps and unmaps as fast as it can while we lend and take back: the page is never
 * both ours and theirs. */
static grant_ref_t raced_ref;
static bool stop;
static unsigned int mapped;

static void *map_and_unmap(void *arg)
{
    (void)arg;
    while (!load_acquire(&stop)) {
        grant_ref_t ref = load_acquire(&raced_ref);
        char *page = ref ? fake_grant_remote_map(REMOTE, ref, false) : NULL;

        if (!page)
            continue;
        atomic_fetch_add(&mapped, 1);
        page[0] = 1;
        sched_yield();
        page[0] = 0;
        fake_grant_remote_unmap(ref);
    }
    return NULL;
}

TEST(stress_end_against_map)
{
    char *page = page_alloc_zeroed();
    uint64_t end_ns;
    pthread_t remote;

    store_release(&raced_ref, lend(page, false));
    pthread_create(&remote, NULL, map_and_unmap, NULL);
    CHECK_SOON(load_acquire(&mapped) > 0); /* they meet, however busy the machine */
    end_ns = arch_clock_ns() + NS_PER_S;
    for (unsigned int turn = 0; turn < 20000 && arch_clock_ns() < end_ns; turn++) {
        int rc;

        while ((rc = grant_end(raced_ref)) == -XEN_EBUSY)
            sched_yield();
        CHECK_EQ(rc, 0);
        CHECK_EQ(load_acquire(&page[0]), 0); /* nobody has it now */
        store_release(&raced_ref, lend(page, false));
    }
    store_release(&stop, true);
    pthread_join(remote, NULL);
    CHECK_EQ(stats_now().used, 1);
}

/* Two vCPUs lend and take back at once. */
static void *lend_often(void *arg)
{
    void *page = page_alloc_zeroed();

    fake_cpu_adopt(*(unsigned int *)arg);
    for (unsigned int turn = 0; turn < 3000; turn++) {
        grant_ref_t refs[8];

        for (unsigned int i = 0; i < 8; i++) {
            refs[i] = lend(page, false);
            CHECK_EQ(fake_grant_entry(refs[i])->frame, virt_to_mfn(page).n);
        }
        for (unsigned int i = 0; i < 8; i++)
            CHECK_EQ(grant_end(refs[i]), 0);
    }
    return NULL;
}

TEST(stress_two_vcpus_lend)
{
    unsigned int one = 1, two = 2;
    pthread_t other;

    fake_cpu_adopt(2);
    pthread_create(&other, NULL, lend_often, &one);
    lend_often(&two);
    pthread_join(other, NULL);
    CHECK_EQ(stats_now().used, 0);
}
