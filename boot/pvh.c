/* SPDX-License-Identifier: MIT
 *
 * PVH: what Xen's domain builder leaves in struct hvm_start_info.  Follows Xen
 * public/arch-x86/hvm/start_info.h.
 */
#include <stdint.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>
#include "boot/hvm.h"
#include "lib/log.h"

#define ENTRIES_MAX 128

/* Copies of `count` things of `size` bytes; NULL: not there, or too many. */
static const void *look_at_array(const char *what, uint64_t paddr, uint32_t count, size_t size,
                                 hvm_look *look)
{
    const void *array = count <= ENTRIES_MAX && paddr % 8 == 0 ? look(paddr, count * size) : NULL;

    if (!array)
        log_error("hvm_start_info: %s: %u entries at 0x%lx", what, count, paddr);
    return array;
}

static int decode_memory(const struct hvm_start_info *info, hvm_look *look, struct memory *memory)
{
    const struct hvm_memmap_table_entry *map =
        look_at_array("memmap", info->memmap_paddr, info->memmap_entries, sizeof(*map), look);

    if (!map)
        return -XEN_EINVAL;
    for (unsigned int i = 0; i < info->memmap_entries; i++)
        if (map[i].type == XEN_HVM_MEMMAP_TYPE_RAM)
            memory_add(memory, map[i].addr, map[i].size, HVM_MEMORY_END);
    for (unsigned int i = 0; i < info->memmap_entries; i++)
        if (map[i].type != XEN_HVM_MEMMAP_TYPE_RAM)
            memory_remove(memory, map[i].addr, map[i].size);
    return 0;
}

static int decode_modules(const struct hvm_start_info *info, hvm_look *look,
                          struct hvm_loaded *loaded)
{
    for (unsigned int i = 0; i < info->nr_modules; i++) { /* a module's text takes the list away */
        const struct hvm_modlist_entry *list =
            look_at_array("modlist", info->modlist_paddr, info->nr_modules, sizeof(*list), look);

        if (!list)
            return -XEN_EINVAL;
        hvm_add_module(loaded, list[i].paddr, list[i].size, list[i].cmdline_paddr, look);
    }
    return 0;
}

int pvh_decode(uint64_t paddr, hvm_look *look, struct hvm_loaded *loaded)
{
    const struct hvm_start_info *there = look(paddr, sizeof(*there));
    struct hvm_start_info info;
    int rc;

    if (!there) {
        log_error("hvm_start_info: at 0x%lx", paddr);
        return -XEN_EINVAL;
    }
    memcpy(&info, there, sizeof(info));
    if (info.magic != XEN_HVM_START_MAGIC_VALUE || info.version < 1) {
        log_error("hvm_start_info: magic %x, version %u: no memory map", info.magic, info.version);
        return -XEN_EINVAL;
    }
    rc = decode_memory(&info, look, &loaded->memory);
    if (rc == 0)
        rc = decode_modules(&info, look, loaded);
    if (rc == 0)
        hvm_copy_cmdline(info.cmdline_paddr, look, loaded);
    return rc;
}
