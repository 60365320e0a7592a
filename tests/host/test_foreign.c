/* SPDX-License-Identifier: MIT
 *
 * Pages of other domains: mapping and copying, with a Xen that refuses, delays, or talks nonsense.
 */
#include "arch/clock.h"
#include "grant/grant.h"
#include "hypercall/grant_table.h"
#include "mm/address_space.h"
#include "mm/page.h"
#include "tests/host/test.h"

#define REMOTE 7

TEST(map_and_unmap)
{
    char *foreign = fake_foreign_page(REMOTE, 9, false), *virt = vspace_alloc(1);
    grant_handle_t handle;

    CHECK_EQ(grant_map(REMOTE, 9, virt, false, &handle), 0);
    strcpy(foreign, "theirs");
    CHECK_STR(virt, "theirs");
    strcpy(virt, "ours");
    CHECK_STR(foreign, "ours");
    CHECK_EQ(grant_unmap(virt, handle), 0);
    CHECK_EQ(fake_grant_maps(), 0);
    CHECK_EQ(grant_unmap(virt, handle), -XEN_EINVAL);
    CHECK_EQ(fake_logged("unmapping handle 0"), 1);
    CHECK_EQ(fake_logged("bad_handle (-4)"), 1);
}

TEST(map_says_by_name_what_xen_refused)
{
    void *virt = vspace_alloc(1);
    grant_handle_t handle;

    fake_foreign_page(REMOTE, 9, true);
    CHECK_EQ(grant_map(REMOTE, 10, virt, false, &handle), -XEN_ENOENT);
    CHECK_EQ(fake_logged("mapping ref 10 of domain 7: bad_gntref (-3)"), 1);
    CHECK_EQ(grant_map(REMOTE, 9, virt, false, &handle), -XEN_EACCES);
    CHECK_EQ(fake_logged("permission_denied (-8)"), 1);
    CHECK_EQ(grant_map(REMOTE, 9, virt, true, &handle), 0);
}

TEST(copy_both_ways)
{
    char *foreign = fake_foreign_page(REMOTE, 9, false), *page = page_alloc_zeroed();
    struct grant_copy_end theirs = { .domid = REMOTE, .ref = 9, .offset = 100 };
    struct grant_copy_end ours = { .domid = DOMID_SELF, .page = page, .offset = 4000 };

    strcpy(foreign + 100, "read me");
    CHECK_EQ(grant_copy(&theirs, &ours, 8), 0);
    CHECK_STR(page + 4000, "read me");
    strcpy(page + 4000, "written");
    CHECK_EQ(grant_copy(&ours, &theirs, 8), 0);
    CHECK_STR(foreign + 100, "written");
    pages_free(page, 0);
}

TEST(copy_over_the_end_of_a_page)
{
    void *page = page_alloc_zeroed();
    struct grant_copy_end theirs = { .domid = REMOTE, .ref = 9 };
    struct grant_copy_end ours = { .domid = DOMID_SELF, .page = page, .offset = 4000 };

    fake_foreign_page(REMOTE, 9, false);
    CHECK_EQ(grant_copy(&theirs, &ours, 97), -XEN_EINVAL);
    CHECK_EQ(fake_logged("copying ref 9 of domain 7: bad_copy_arg (-10)"), 1);
}

TEST(copy_into_what_is_readonly)
{
    void *page = page_alloc_zeroed();
    struct grant_copy_end theirs = { .domid = REMOTE, .ref = 9 };
    struct grant_copy_end ours = { .domid = DOMID_SELF, .page = page };

    fake_foreign_page(REMOTE, 9, true);
    CHECK_EQ(grant_copy(&ours, &theirs, 10), -XEN_EACCES);
    CHECK_EQ(grant_copy(&theirs, &ours, 10), 0);
}

/* --- answers made up by the test
 * ------------------------------------------------------------------ */

static int16_t forced_status;
static long forced_rc;
static unsigned int forced_times;

static long force(unsigned int nr, unsigned long cmd, void *arg, unsigned long count)
{
    (void)count;
    if (nr != __HYPERVISOR_grant_table_op || forced_times == 0)
        return FAKE_GO_ON;
    forced_times--;
    if (cmd == GNTTABOP_copy)
        ((struct gnttab_copy *)arg)->status = forced_status;
    else if (cmd == GNTTABOP_map_grant_ref)
        ((struct gnttab_map_grant_ref *)arg)->status = forced_status;
    else
        return FAKE_GO_ON;
    return forced_rc;
}

static int copy_with(int16_t status, long rc, unsigned int times)
{
    struct grant_copy_end theirs = { .domid = REMOTE, .ref = 9 };
    struct grant_copy_end ours = { .domid = DOMID_SELF, .page = page_alloc_zeroed() };

    fake_foreign_page(REMOTE, 9, false);
    fake_xen.hook = force;
    forced_status = status;
    forced_rc = rc;
    forced_times = times;
    return grant_copy(&theirs, &ours, 16);
}

TEST(copy_eagain_is_tried_again)
{
    CHECK_EQ(copy_with(GNTST_eagain, 0, 5), 0);
    CHECK_EQ(fake_hypercalls(__HYPERVISOR_grant_table_op, GNTTABOP_copy), 6);
}

TEST(copy_eagain_for_ever_ends_within_a_second)
{
    uint64_t begin = arch_clock_ns();

    CHECK_EQ(copy_with(GNTST_eagain, 0, UINT32_MAX), -XEN_EAGAIN);
    CHECK_LT(arch_clock_ns() - begin, NS_PER_S);
    CHECK_EQ(fake_logged("eagain (-12)"), 1);
}

TEST(map_eagain_for_ever_ends_within_a_second)
{
    uint64_t begin = arch_clock_ns();
    void *virt = vspace_alloc(1);
    grant_handle_t handle;

    fake_xen.hook = force;
    forced_status = GNTST_eagain;
    forced_times = UINT32_MAX;
    CHECK_EQ(grant_map(REMOTE, 9, virt, false, &handle), -XEN_EAGAIN);
    CHECK_LT(arch_clock_ns() - begin, NS_PER_S);
}

TEST(status_nobody_knows)
{
    CHECK_EQ(copy_with(-77, 0, 1), -XEN_EIO);
    CHECK_EQ(fake_logged("unknown (-77)"), 1);
    CHECK_EQ(copy_with(3, 0, 1), -XEN_EIO);
    CHECK_EQ(fake_logged("unknown (3)"), 1);
    CHECK_EQ(copy_with(INT16_MIN, 0, 1), -XEN_EIO);
}

TEST(hypercall_itself_fails)
{
    CHECK_EQ(copy_with(GNTST_okay, -XEN_ENOSYS, 1), -XEN_ENOSYS);
    CHECK_EQ(fake_logged("ENOSYS"), 1);
}

TEST(xen_forgets_to_write_a_status)
{
    CHECK_EQ(copy_with(GNTST_general_error, 0, 1), -XEN_EIO);
}
