/* SPDX-License-Identifier: MIT
 *
 * Grants given to ourselves: what another domain would see, we see.
 */
#include <stdio.h>
#include <string.h>
#include "mm/address_space.h"
#include "mm/page.h"
#include "selftest.h"

#define TOOLSTACK_REFS 8

static unsigned int refs_used(void)
{
    struct grant_stats stats;

    grant_get_stats(&stats);
    return stats.used;
}

TEST(grant_access_end_returns_ref)
{
    void *page = page_alloc_zeroed();
    unsigned int before = refs_used();
    grant_ref_t ref;

    REQUIRE(page != NULL);
    REQUIRE_EQ(grant_access(0, page, false, &ref), 0);
    CHECK(ref >= TOOLSTACK_REFS);
    CHECK_EQ(refs_used(), before + 1);
    CHECK_EQ(grant_end(ref), 0);
    CHECK_EQ(refs_used(), before);
    pages_free(page, 0);
}

/* Map a page of our own. False: the test is skipped, or has failed; the ref is given back. */
static bool map_own(grant_ref_t ref, void *virt, bool readonly, grant_handle_t *handle)
{
    int rc = grant_map(test_domid(), ref, virt, readonly, handle);

    if (rc == -XEN_EOPNOTSUPP)
        test_skip("only a PV domain can map a page of its own");
    else
        CHECK_EQ(rc, 0);
    return rc == 0;
}

TEST(grant_map_shows_the_page_and_end_is_busy)
{
    char *page = page_alloc_zeroed(), *virt = vspace_alloc(1);
    grant_handle_t handle;
    grant_ref_t ref;

    REQUIRE(page && virt);
    REQUIRE_EQ(grant_access(test_domid(), page, false, &ref), 0);
    if (!map_own(ref, virt, false, &handle)) {
        grant_end_and_free(ref, page);
        return;
    }
    strcpy(page, "ours");
    CHECK_EQ(strcmp(virt, "ours"), 0);
    strcpy(virt + 100, "theirs");
    CHECK_EQ(strcmp(page + 100, "theirs"), 0);
    CHECK_EQ(grant_end(ref), -XEN_EBUSY);
    CHECK_EQ(grant_unmap(virt, handle), 0);
    CHECK_EQ(grant_end(ref), 0);
    vspace_free(virt, 1);
    pages_free(page, 0);
}

TEST(grant_read_only_refuses_writers)
{
    char *page = page_alloc_zeroed(), *virt = vspace_alloc(1);
    grant_handle_t handle;
    grant_ref_t ref;

    REQUIRE(page && virt);
    REQUIRE_EQ(grant_access(test_domid(), page, true, &ref), 0);
    CHECK(grant_map(test_domid(), ref, virt, false, &handle) < 0);
    if (!map_own(ref, virt, true, &handle)) {
        grant_end_and_free(ref, page);
        return;
    }
    page[0] = 'x';
    CHECK_EQ(*(volatile char *)virt, 'x');
    CHECK_EQ(grant_unmap(virt, handle), 0);
    CHECK_EQ(grant_end(ref), 0);
    vspace_free(virt, 1);
    pages_free(page, 0);
}

TEST(grant_map_bad_ref_fails)
{
    char *virt = vspace_alloc(1);
    grant_handle_t handle;

    REQUIRE(virt != NULL);
    CHECK(grant_map(test_domid(), 0x7ffffff, virt, false, &handle) < 0);
    CHECK(grant_map(0x7fef, TOOLSTACK_REFS, virt, false, &handle) < 0); /* no such domain */
    vspace_free(virt, 1);
}

TEST(grant_end_and_free_parks_until_unmapped)
{
    char *page = page_alloc_zeroed(), *virt = vspace_alloc(1), *other;
    struct grant_stats stats;
    grant_handle_t handle;
    grant_ref_t ref;

    REQUIRE(page && virt);
    REQUIRE_EQ(grant_access(test_domid(), page, false, &ref), 0);
    if (!map_own(ref, virt, false, &handle)) {
        grant_end_and_free(ref, page);
        return;
    }
    grant_end_and_free(ref, page);
    grant_get_stats(&stats);
    CHECK_EQ(stats.parked, 1);
    strcpy(virt, "still ours");
    other = page_alloc_zeroed();
    CHECK(other != NULL && other != page); /* not given to anybody else */
    pages_free(other, 0);
    CHECK_EQ(grant_unmap(virt, handle), 0);
    for (int i = 0; i < 2; i++) { /* later calls try again */
        page = page_alloc_zeroed();
        REQUIRE(page && grant_access(0, page, false, &ref) == 0);
        grant_end_and_free(ref, page);
    }
    grant_get_stats(&stats);
    CHECK_EQ(stats.parked, 0);
    vspace_free(virt, 1);
}

TEST(grant_copy_both_ways)
{
    char *granted = page_alloc_zeroed(), *local = page_alloc_zeroed();
    struct grant_copy_end here = { .domid = DOMID_SELF, .page = local, .offset = 10 };
    struct grant_copy_end there = { .domid = test_domid(), .offset = 4000 };

    REQUIRE(granted && local);
    REQUIRE_EQ(grant_access(test_domid(), granted, false, &there.ref), 0);
    memcpy(local + 10, "outward", 8);
    CHECK_EQ(grant_copy(&here, &there, 8), 0);
    CHECK_EQ(memcmp(granted + 4000, "outward", 8), 0);
    memcpy(granted + 4000, "inward!", 8);
    CHECK_EQ(grant_copy(&there, &here, 8), 0);
    CHECK_EQ(memcmp(local + 10, "inward!", 8), 0);
    CHECK_EQ(grant_end(there.ref), 0);
    CHECK(grant_copy(&there, &here, 8) < 0);
    pages_free(granted, 0);
    pages_free(local, 0);
}

TEST(grant_table_grows_and_fills)
{
    static grant_ref_t refs[70000]; /* more than 128 frames hold */
    unsigned int count = 0, before = refs_used();
    void *page = page_alloc_zeroed();
    struct grant_stats stats;
    int rc = 0;

    REQUIRE(page != NULL);
    while (count < ARRAY_SIZE(refs) && rc == 0) {
        rc = grant_access(0, page, true, &refs[count]);
        count += rc == 0;
    }
    grant_get_stats(&stats);
    printf("# %u grants in %u of %u frames\n", count, stats.frames, stats.max_frames);
    CHECK(rc == 0 || (rc == -XEN_ENOSPC && stats.frames == stats.max_frames) || rc == -XEN_ENOMEM);
    CHECK(count > 512);
    CHECK_EQ(stats.used, before + count);
    for (unsigned int i = 0; i < count; i++)
        CHECK_EQ(grant_end(refs[i]), 0);
    CHECK_EQ(refs_used(), before);
    pages_free(page, 0);
}
