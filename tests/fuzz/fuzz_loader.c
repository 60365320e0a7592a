/* SPDX-License-Identifier: MIT
 *
 * Fuzzes boot/'s decoders of hvm_start_info and of both multiboots: any physical memory, of which
 * the input is the part from PADDR on.  What they make of it is sound, whatever it says.
 */
#include <stdlib.h>
#include <string.h>
#include "arch/page.h"
#include "boot/hvm.h"
#include "mm/module.h"
#include "x86/hvm/hvm.h"
#include "tests/fuzz/guest.h"

#define PADDR 0x1000

static const uint8_t *told;
static size_t told_size;
static char *seen; /* what look() gave last */
static struct memory_range modules[16];
static unsigned int nr_modules;

void other_end_notified(void)
{
}

bool other_end_turn(void)
{
    return false;
}

/* Just the bytes asked for, where ASan guards both ends, aligned as they are in memory. */
static const void *look(uint64_t paddr, size_t len)
{
    size_t align = paddr % 8;

    MUST(len <= 2 << 20);
    free(seen);
    seen = NULL;
    if (paddr >= 1UL << 32 || paddr + len > 1UL << 32)
        return NULL;
    seen = malloc(align + len + (len == 0));
    memset(seen, 0xff, align + len);
    for (size_t i = 0; i < len; i++)
        if (paddr + i >= PADDR && paddr + i - PADDR < told_size)
            seen[align + i] = (char)told[paddr + i - PADDR];
    return seen + align;
}

/* What becomes a module was memory, and no other module. */
void module_add(const void *start, size_t size, size_t pages, const char *text)
{
    uint64_t paddr = (uint64_t)start - HVM_DIRECT_MAP;
    uint64_t first = paddr / PAGE_SIZE;

    if (size == 0 || pages != (paddr + size - 1) / PAGE_SIZE - first + 1 ||
        nr_modules == ARRAY_SIZE(modules))
        return;
    MUST(paddr + size > paddr && paddr + size <= HVM_MEMORY_END);
    for (unsigned int i = 0; i < nr_modules; i++)
        MUST(paddr >= modules[i].end || paddr + size <= modules[i].start);
    modules[nr_modules++] = (struct memory_range){ paddr, paddr + size };
    if (text)
        MUST(strnlen(text, MODULE_TEXT_MAX) <= MODULE_TEXT_MAX);
}

static void check(const struct hvm_loaded *loaded)
{
    const struct memory *memory = &loaded->memory;

    MUST(memory->nr <= MEMORY_RANGES);
    for (unsigned int i = 0; i < memory->nr; i++) {
        struct memory_range a = memory->ranges[i];

        MUST(a.start < a.end && a.end <= HVM_MEMORY_END && (a.start | a.end) % PAGE_SIZE == 0);
        for (unsigned int j = 0; j < i; j++)
            MUST(a.end <= memory->ranges[j].start || a.start >= memory->ranges[j].end);
        for (unsigned int j = 0; j < nr_modules; j++)
            MUST(modules[j].start >= a.end || modules[j].end <= a.start);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int (*const decoders[])(uint64_t paddr, hvm_look * look,
                                   struct hvm_loaded * loaded) = { pvh_decode, multiboot_decode,
                                                                   multiboot2_decode };
    struct hvm_loaded *loaded;

    if (size == 0)
        return 0;
    loaded = calloc(1, sizeof(*loaded));
    nr_modules = 0;
    told = data + 1;
    told_size = size - 1;
    decoders[data[0] % ARRAY_SIZE(decoders)](PADDR, look, loaded);
    check(loaded);
    free(loaded);
    free(seen);
    seen = NULL;
    return 0;
}
