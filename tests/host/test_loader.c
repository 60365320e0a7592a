/* SPDX-License-Identifier: MIT
 *
 * What loaders of domains with hardware assistance tell, and what becomes of it.
 */
#include <stdint.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>
#include "boot/hvm.h"
#include "mm/module.h"
#include "tests/host/test.h"
#include "x86/hvm/hvm.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static char physical[65536] __attribute__((aligned(8))); /* the first 64 KiB */
static struct hvm_loaded loaded;

static const void *look(uint64_t paddr, size_t len)
{
    return paddr < sizeof(physical) && len <= sizeof(physical) - paddr ? physical + paddr : NULL;
}

static uint64_t in_all(void)
{
    uint64_t size = 0;

    for (unsigned int i = 0; i < loaded.memory.nr; i++)
        size += loaded.memory.ranges[i].end - loaded.memory.ranges[i].start;
    return size;
}

static bool is_free(uint64_t paddr)
{
    for (unsigned int i = 0; i < loaded.memory.nr; i++)
        if (paddr >= loaded.memory.ranges[i].start && paddr < loaded.memory.ranges[i].end)
            return true;
    return false;
}

/* --- ranges ---------------------------------------------------------------------------------- */

TEST(parts_of_pages_are_not_memory)
{
    memory_add(&loaded.memory, 0x1001, 0x2fff, HVM_MEMORY_END);
    CHECK_EQ(in_all(), 0x2000);
    CHECK(!is_free(0x1000) && is_free(0x2000) && !is_free(0x4000));
    memory_remove(&loaded.memory, 0x2fff, 2);
    CHECK_EQ(in_all(), 0);
}

TEST(told_twice_is_there_once)
{
    memory_add(&loaded.memory, 0, MIB, HVM_MEMORY_END);
    memory_add(&loaded.memory, MIB / 2, MIB, HVM_MEMORY_END);
    memory_add(&loaded.memory, 0, 3 * MIB, HVM_MEMORY_END);
    CHECK_EQ(in_all(), 3 * MIB);
}

TEST(hole_in_the_middle)
{
    memory_add(&loaded.memory, 0, 8 * MIB, HVM_MEMORY_END);
    memory_remove(&loaded.memory, MIB, MIB);
    CHECK_EQ(in_all(), 7 * MIB);
    CHECK(is_free(0) && !is_free(MIB) && is_free(2 * MIB));
    memory_remove(&loaded.memory, 0, UINT64_MAX);
    CHECK_EQ(in_all(), 0);
}

TEST(sizes_that_wrap)
{
    memory_add(&loaded.memory, UINT64_MAX - 4095, UINT64_MAX, HVM_MEMORY_END);
    CHECK_EQ(in_all(), 0);
    memory_add(&loaded.memory, HVM_MEMORY_END - MIB, UINT64_MAX, HVM_MEMORY_END);
    CHECK_EQ(in_all(), MIB);
    memory_remove(&loaded.memory, HVM_MEMORY_END - 4096, UINT64_MAX);
    CHECK_EQ(in_all(), MIB - 4096);
}

TEST(smallest_range_is_left_out)
{
    for (uint64_t i = 0; i < MEMORY_RANGES + 4; i++)
        memory_add(&loaded.memory, i * 16 * MIB, (1 + i) * 4096, HVM_MEMORY_END);
    CHECK_EQ(loaded.memory.nr, MEMORY_RANGES);
    CHECK(!is_free(0) && !is_free(3 * 16 * MIB) && is_free(4 * 16 * MIB));
}

/* --- PVH ------------------------------------------------------------------------------------- */

static struct hvm_start_info *start_info(unsigned int nr_entries)
{
    struct hvm_start_info *info = (void *)(physical + 0x100);

    *info = (struct hvm_start_info){
        .magic = XEN_HVM_START_MAGIC_VALUE,
        .version = 1,
        .memmap_paddr = 0x1000,
        .memmap_entries = nr_entries,
        .modlist_paddr = 0x2000,
        .cmdline_paddr = 0x3000,
    };
    strcpy(physical + 0x3000, "one two");
    return info;
}

static void entry(unsigned int n, uint64_t addr, uint64_t size, uint32_t type)
{
    struct hvm_memmap_table_entry *map = (void *)(physical + 0x1000);

    map[n] = (struct hvm_memmap_table_entry){ .addr = addr, .size = size, .type = type };
}

TEST(pvh_of_5_gib)
{
    struct hvm_modlist_entry *module = (void *)(physical + 0x2000);

    start_info(3)->nr_modules = 1;
    entry(0, 0, 0xf0000000, XEN_HVM_MEMMAP_TYPE_RAM);
    entry(1, 0xfc000000, 0x1000, XEN_HVM_MEMMAP_TYPE_NVS);
    entry(2, 4 * GIB, GIB, XEN_HVM_MEMMAP_TYPE_RAM);
    *module = (struct hvm_modlist_entry){ .paddr = 3 * MIB, .size = 5000 };
    CHECK_EQ(pvh_decode(0x100, look, &loaded), 0);
    CHECK_EQ(in_all(), 0xf0000000 + GIB - 8192);
    CHECK(is_free(5 * GIB - 1) && !is_free(3 * MIB + 4096) && !is_free(4 * GIB - 1));
    CHECK_EQ(module_count(), 1);
    CHECK_EQ(module_get(0)->start, HVM_DIRECT_MAP + 3 * MIB);
    CHECK_EQ(module_get(0)->size, 5000);
    CHECK_STR(module_get(0)->text, "");
    CHECK_STR(loaded.cmdline, "one two");
}

TEST(pvh_reserved_has_the_last_word)
{
    start_info(2);
    entry(0, MIB, MIB, XEN_HVM_MEMMAP_TYPE_RESERVED);
    entry(1, 0, 4 * MIB, XEN_HVM_MEMMAP_TYPE_RAM);
    CHECK_EQ(pvh_decode(0x100, look, &loaded), 0);
    CHECK_EQ(in_all(), 3 * MIB);
}

TEST(pvh_nonsense_is_refused)
{
    struct hvm_start_info *info = start_info(0);

    CHECK_EQ(pvh_decode(sizeof(physical) - 8, look, &loaded), -XEN_EINVAL);
    info->magic++;
    CHECK_EQ(pvh_decode(0x100, look, &loaded), -XEN_EINVAL);
    info = start_info(100000);
    CHECK_EQ(pvh_decode(0x100, look, &loaded), -XEN_EINVAL);
    CHECK_EQ(fake_logged("hvm_start_info: memmap: 100000 entries"), 1);
    info = start_info(1);
    info->memmap_paddr = UINT64_MAX;
    CHECK_EQ(pvh_decode(0x100, look, &loaded), -XEN_EINVAL);
    info = start_info(1);
    info->version = 0; /* without a memory map */
    CHECK_EQ(pvh_decode(0x100, look, &loaded), -XEN_EINVAL);
}

/* --- multiboot ------------------------------------------------------------------------------- */

static void words(unsigned int at, const uint32_t *from, size_t count)
{
    memcpy(physical + at, from, 4 * count);
}

TEST(multiboot_1_of_64_mib)
{
    words(0x100,
          (uint32_t[]){ 1 << 2 | 1 << 3 | 1 << 6, 0, 0, 0, 0x3000, 1, 0x2000, 0, 0, 0, 0, 72,
                        0x1000 },
          13);
    words(0x1000, (uint32_t[]){ 20, 0, 0, 0x9fc00, 0, 1 }, 6);
    words(0x1018, (uint32_t[]){ 20, 0xf0000, 0, 0x10000, 0, 2 }, 6);
    words(0x1030, (uint32_t[]){ 20, 0x100000, 0, 0x3f00000, 0, 1 }, 6);
    words(0x2000, (uint32_t[]){ 0x800000, 0x801000, 0x3800, 0 }, 4);
    strcpy(physical + 0x3000, "-uart=io:0x3f8");
    strcpy(physical + 0x3800, "/data a b");
    CHECK_EQ(multiboot_decode(0x100, look, &loaded), 0);
    CHECK_EQ(in_all(), 63 * MIB - 4096);
    CHECK_STR(loaded.cmdline, "-uart=io:0x3f8");
    CHECK_EQ(module_get(0)->start, HVM_DIRECT_MAP + 8 * MIB);
    CHECK_EQ(module_get(0)->size, 4096);
    CHECK_STR(module_get(0)->text, "/data a b");
}

/* QEMU's loader has the kernel's path in front of the arguments, which GRUB has not. */
TEST(multiboot_1_of_qemu_drops_the_path)
{
    static const char *const loaders[] = { "qemu", "GRUB 2.06" }, *const texts[] = { "  a /b",
                                                                                     "/x/y a /b" };

    for (unsigned int i = 0; i < 2; i++) {
        loaded = (struct hvm_loaded){ 0 };
        words(0x100,
              (uint32_t[]){ 1 << 2 | 1 << 6 | 1 << 9, 0, 0, 0, 0x3000, 0, 0, 0, 0, 0, 0, 24, 0x1000,
                            0, 0, 0, 0x3800 },
              17);
        words(0x1000, (uint32_t[]){ 20, 0x100000, 0, 0x700000, 0, 1 }, 6);
        strcpy(physical + 0x3000, "/x/y a /b");
        strcpy(physical + 0x3800, loaders[i]);
        CHECK_EQ(multiboot_decode(0x100, look, &loaded), 0);
        CHECK_STR(loaded.cmdline + (i == 0 ? 3 : 0), texts[i]);
    }
}

/* Whatever lies there is no module, but is not used either. */
TEST(multiboot_1_modules_that_are_not_in_memory)
{
    words(0x100, (uint32_t[]){ 1 << 3 | 1 << 6, 0, 0, 0, 0, 5, 0x2000, 0, 0, 0, 0, 24, 0x1000 },
          13);
    words(0x1000, (uint32_t[]){ 20, 0x100000, 0, 0x700000, 0, 1 }, 6); /* up to 8 MiB */
    words(0x2000, (uint32_t[]){ 0x200000, 0x200001, 0, 0 }, 4);
    words(0x2010, (uint32_t[]){ 0x200fff, 0x201001, 0, 0 }, 4); /* a page of the first one */
    words(0x2020, (uint32_t[]){ 0x7fff00, 0x801000, 0, 0 }, 4);
    words(0x2030, (uint32_t[]){ 0x700000, 0x600000, 0, 0 }, 4); /* ends before it starts */
    words(0x2040, (uint32_t[]){ 0xf0000000, 0xf0001000, 0, 0 }, 4);
    CHECK_EQ(multiboot_decode(0x100, look, &loaded), 0);
    CHECK_EQ(module_count(), 1);
    CHECK_EQ(module_get(0)->size, 1);
    CHECK_EQ(fake_logged("not in memory of its own"), 3);
    CHECK_EQ(fake_logged("it ends before it begins"), 1);
    CHECK_EQ(in_all(), 7 * MIB - 3 * 4096);
}

TEST(multiboot_1_more_modules_than_there_may_be)
{
    words(0x100,
          (uint32_t[]){ 1 << 3 | 1 << 6, 0, 0, 0, 0, MODULES_MAX + 2, 0x2000, 0, 0, 0, 0, 24,
                        0x1000 },
          13);
    words(0x1000, (uint32_t[]){ 20, 0x100000, 0, 0x700000, 0, 1 }, 6);
    for (uint32_t i = 0; i < MODULES_MAX + 2; i++)
        words(0x2000 + 16 * i, (uint32_t[]){ 0x200000 + i * 4096, 0x200001 + i * 4096, 0, 0 }, 4);
    CHECK_EQ(multiboot_decode(0x100, look, &loaded), 0);
    CHECK_EQ(module_count(), MODULES_MAX);
    CHECK_EQ(fake_logged("there are too many"), 2);
    CHECK_EQ(in_all(), 7 * MIB - (MODULES_MAX + 2) * 4096);
    words(0x114, (uint32_t[]){ UINT32_MAX }, 1);
    CHECK_EQ(multiboot_decode(0x100, look, &loaded), -XEN_EINVAL);
}

TEST(multiboot_1_without_memory_is_refused)
{
    words(0x100, (uint32_t[]){ 0 }, 1);
    CHECK_EQ(multiboot_decode(0x100, look, &loaded), -XEN_EINVAL);
    words(0x100, (uint32_t[]){ 1 << 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, UINT32_MAX, 0x1000 }, 13);
    CHECK_EQ(multiboot_decode(0x100, look, &loaded), -XEN_EINVAL);
}

TEST(multiboot_2_of_64_mib)
{
    words(0x100,
          (uint32_t[]){ 96,
                        0,
                        1,
                        13,
                        0x20656e6f,
                        0x6f777400 /* "one " */,
                        3,
                        19,
                        0x800000,
                        0x801000,
                        0x6261 /* "ab" */,
                        0,
                        6,
                        40,
                        24,
                        0,
                        0x100000,
                        0,
                        0x3f00000,
                        0,
                        1,
                        0,
                        0,
                        8 },
          24);
    CHECK_EQ(multiboot2_decode(0x100, look, &loaded), 0);
    CHECK_EQ(in_all(), 63 * MIB - 4096);
    CHECK_EQ(memcmp(loaded.cmdline, "one ", 4), 0);
    CHECK_STR(module_get(0)->text, "ab");
}

TEST(multiboot_2_nonsense_is_refused)
{
    CHECK_EQ(multiboot2_decode(0x100, look, &loaded), -XEN_EINVAL); /* no bytes at all */
    words(0x100, (uint32_t[]){ 1 << 30, 0 }, 2);
    CHECK_EQ(multiboot2_decode(0x100, look, &loaded), -XEN_EINVAL);
    words(0x100, (uint32_t[]){ 24, 0, 6, 0, 0, 8 }, 6); /* a tag without size: no way on */
    CHECK_EQ(multiboot2_decode(0x100, look, &loaded), -XEN_EINVAL);
}
