/* SPDX-License-Identifier: MIT
 *
 * HVM by GRUB: what `multiboot` and `multiboot2` leave.  Below 1 MiB the BIOS has its places, so
 * nothing of that is used.  Follows the Multiboot Specification 0.6.96 and the Multiboot2
 * Specification 2.0.
 */
#include <stdint.h>
#include <string.h>
#include "boot/hvm.h"
#include "lib/log.h"

#define FIRST_USED  (1UL << 20)
#define TYPE_RAM    1
#define MEMORY_MAX  8192 /* bytes of a memory map */
#define MB1_CMDLINE (1 << 2)
#define MB1_MODULES (1 << 3)
#define MB1_MEMORY  (1 << 6)
#define MB1_LOADER  (1 << 9)
#define MB2_MAX     65536 /* bytes in all */

#define MB1_MODULES_MAX 512

struct mb1_info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
    uint32_t mmap_length, mmap_addr, drives[2], config_table, boot_loader_name;
};

struct mb1_module {
    uint32_t start, end, string, reserved;
};

/* Multiboot 1's entries have their size, without itself, in front; multiboot 2's one for all. */
struct mb_memory {
    uint64_t addr, len;
    uint32_t type;
} __attribute__((packed));

struct mb2_tag {
    uint32_t type, size;
};

enum { MB2_END = 0, MB2_CMDLINE = 1, MB2_MODULE = 3, MB2_MEMORY = 6 };

static int refuse(const char *what, uint64_t paddr)
{
    log_error("multiboot: %s at 0x%lx is no use", what, paddr);
    return -XEN_EINVAL;
}

static void put_memory(const struct mb_memory *entry, bool ram, struct memory *memory)
{
    if (ram && entry->type == TYPE_RAM)
        memory_add(memory, entry->addr, entry->len, HVM_MEMORY_END);
    if (!ram && entry->type != TYPE_RAM)
        memory_remove(memory, entry->addr, entry->len);
}

static int mb1_memory(const struct mb1_info *info, hvm_look *look, struct memory *memory)
{
    const char *map = info->flags & MB1_MEMORY && info->mmap_length <= MEMORY_MAX
                          ? look(info->mmap_addr, info->mmap_length)
                          : NULL;

    if (!map)
        return refuse("the memory map", info->mmap_addr);
    for (int ram = 1; ram >= 0; ram--) { /* what is not RAM has the last word */
        uint32_t at = 0;

        while (info->mmap_length - at >= 4 + sizeof(struct mb_memory)) {
            uint32_t size;

            memcpy(&size, map + at, sizeof(size));
            if (size < sizeof(struct mb_memory) || size > info->mmap_length - at - 4)
                break;
            put_memory((const void *)(map + at + 4), ram, memory);
            at += 4 + size;
        }
    }
    return 0;
}

static int mb1_modules(uint64_t paddr, uint32_t count, hvm_look *look, struct hvm_loaded *loaded)
{
    for (; count; count--, paddr += sizeof(struct mb1_module)) {
        const struct mb1_module *module =
            count <= MB1_MODULES_MAX && paddr % 4 == 0 ? look(paddr, sizeof(*module)) : NULL;

        if (!module)
            return refuse("the list of modules", paddr);
        hvm_add_module(loaded, module->start, module->end - (uint64_t)module->start, module->string,
                       look);
    }
    return 0;
}

/* QEMU's own loader puts the kernel's path in front of the arguments. */
static void mb1_cmdline(const struct mb1_info *info, hvm_look *look, struct hvm_loaded *loaded)
{
    const char *name = info->flags & MB1_LOADER ? look(info->boot_loader_name, 4) : NULL;
    bool path = name && memcmp(name, "qemu", 4) == 0;

    hvm_copy_cmdline(info->cmdline, look, loaded);
    for (size_t i = 0; path && i < sizeof(loaded->cmdline) && loaded->cmdline[i] > ' '; i++)
        loaded->cmdline[i] = ' ';
}

int multiboot_decode(uint64_t paddr, hvm_look *look, struct hvm_loaded *loaded)
{
    const struct mb1_info *there = look(paddr, sizeof(*there));
    struct mb1_info info;
    int rc;

    if (!there)
        return refuse("the information", paddr);
    memcpy(&info, there, sizeof(info));
    rc = mb1_memory(&info, look, &loaded->memory);
    if (rc)
        return rc;
    if (info.flags & MB1_MODULES)
        rc = mb1_modules(info.mods_addr, info.mods_count, look, loaded);
    if (info.flags & MB1_CMDLINE)
        mb1_cmdline(&info, look, loaded);
    memory_remove(&loaded->memory, 0, FIRST_USED);
    return rc;
}

static void mb2_memory(const char *tag, uint32_t size, bool ram, struct memory *memory)
{
    uint32_t entry_size = size >= 16 ? *(const uint32_t *)(tag + 8) : 0;

    if (entry_size < sizeof(struct mb_memory))
        return;
    for (uint32_t at = 16; size - at >= entry_size; at += entry_size)
        put_memory((const void *)(tag + at), ram, memory);
}

/* Looks elsewhere in the end. */
static void mb2_tag(const char *tag, uint64_t paddr, const struct mb2_tag *head, bool ram,
                    hvm_look *look, struct hvm_loaded *loaded)
{
    const uint32_t *module = (const uint32_t *)(tag + 8);

    if (head->type == MB2_MEMORY) {
        mb2_memory(tag, head->size, ram, &loaded->memory);
    } else if (ram) {
        return; /* when all memory is known */
    } else if (head->type == MB2_MODULE && head->size >= 16) {
        hvm_add_module(loaded, module[0], module[1] - (uint64_t)module[0], paddr + 16, look);
    } else if (head->type == MB2_CMDLINE) {
        size_t len = MIN(head->size - sizeof(*head), sizeof(loaded->cmdline));

        memcpy(loaded->cmdline, tag + sizeof(*head), len);
    }
}

int multiboot2_decode(uint64_t paddr, hvm_look *look, struct hvm_loaded *loaded)
{
    const uint32_t *there = look(paddr, 8);
    uint32_t total = there ? *there : 0;
    const char *info = total >= 8 && total <= MB2_MAX ? look(paddr, total) : NULL;

    if (!info || paddr % 8)
        return refuse("the information", paddr);
    for (int ram = 1; ram >= 0; ram--) {
        uint32_t at = 8;

        while (total - at >= sizeof(struct mb2_tag)) {
            struct mb2_tag head;

            memcpy(&head, info + at, sizeof(head));
            if (head.type == MB2_END || head.size < sizeof(head) || head.size > total - at)
                break;
            mb2_tag(info + at, paddr + at, &head, ram, look, loaded);
            info = look(paddr, total);
            at += MIN(ROUND_UP(head.size, 8), total - at);
        }
    }
    memory_remove(&loaded->memory, 0, FIRST_USED);
    return loaded->memory.nr ? 0 : refuse("a memory map", paddr);
}
