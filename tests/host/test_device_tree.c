/* SPDX-License-Identifier: MIT
 *
 * What is read from a domain's device tree, and from one that lacks something or is spoilt.
 */
#include "boot/device_tree.h"
#include <stdlib.h>
#include <string.h>
#include "tests/host/sample_device_tree.h"
#include "tests/host/test.h"

static uint64_t blob[SAMPLE_MAX / 8];
static struct device_tree tree;

static int decode(int without)
{
    size_t size = sample_device_tree(blob, without);

    memset(&tree, 0, sizeof(tree));
    CHECK_EQ(device_tree_size(blob), size);
    return device_tree_decode(blob, size, &tree);
}

TEST(tree_of_xen_is_read)
{
    CHECK_EQ(decode(-1), 0);
    CHECK_EQ(tree.memory.nr, 2); /* the empty bank is none */
    CHECK_EQ(tree.memory.ranges[0].start, 0x40000000);
    CHECK_EQ(tree.memory.ranges[0].end, 0x42000000);
    CHECK_EQ(tree.memory.ranges[1].start, 0x280000000);
    CHECK(strcmp(tree.cmdline, "-loglevel=info one") == 0);
    CHECK_EQ(tree.initrd.start, 0x41000000);
    CHECK_EQ(tree.initrd.size, 0x2000);
    CHECK_EQ(tree.gic_version, 3);
    CHECK_EQ(tree.distributor.start, 0x3001000);
    CHECK_EQ(tree.second.size, 0x1000000);
    CHECK_EQ(tree.for_grants.start, 0x38000000);
    CHECK_EQ(tree.upcall_irq, 31);
    CHECK_EQ(tree.timer_irq, 27);
    CHECK_EQ(tree.timer_frequency, 0);
    CHECK_EQ(tree.nr_cpus, 2);
}

TEST(tree_lacks_what_is_needed)
{
    CHECK_EQ(decode(NODE_MEMORY), -XEN_EINVAL);
    CHECK_EQ(decode(NODE_GIC), -XEN_EINVAL);
    CHECK_EQ(decode(NODE_TIMER), -XEN_EINVAL);
    CHECK_EQ(decode(NODE_HYPERVISOR), -XEN_EINVAL);
}

TEST(tree_lacks_what_may_be_absent)
{
    CHECK_EQ(decode(NODE_CHOSEN), 0);
    CHECK(tree.cmdline[0] == '\0' && tree.initrd.size == 0);
    CHECK_EQ(decode(NODE_CPU), 0);
    CHECK_EQ(tree.nr_cpus, 1);
}

TEST(tree_is_none)
{
    memset(blob, 0, sizeof(blob));
    CHECK_EQ(device_tree_size(blob), 0);
    sample_device_tree(blob, -1);
    ((struct fdt_header *)blob)->totalsize = cpu_to_fdt32(DEVICE_TREE_MAX + 1);
    CHECK_EQ(device_tree_size(blob), 0);
}

/* Of exactly the bytes that are there, so that ASan sees who reads on. */
TEST(tree_cut_short_is_refused)
{
    size_t size = sample_device_tree(blob, -1);

    for (size_t len = 0; len < size; len += 4) {
        void *cut = malloc(len + (len == 0));

        memcpy(cut, blob, len);
        memset(&tree, 0, sizeof(tree));
        CHECK_EQ(device_tree_decode(cut, len, &tree), -XEN_EINVAL);
        free(cut);
    }
}
