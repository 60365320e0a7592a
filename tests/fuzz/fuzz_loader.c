/* SPDX-License-Identifier: MIT
 *
 * Fuzzes boot/'s decoders of hvm_start_info and of both multiboots: any physical memory, of which
 * the input is the part from PADDR on.  What they make of it is sound, whatever it says.
 */
#include <stdlib.h>
#include <string.h>
#include "arch/page.h"
#include "boot/hvm.h"
#include "tests/fuzz/guest.h"

#define PADDR 0x1000

static const uint8_t *told;
static size_t told_size;
static char *seen; /* what look() gave last */

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

static void check(const struct hvm_loaded *loaded)
{
    const struct memory *memory = &loaded->memory;

    MUST(memory->nr <= MEMORY_RANGES && loaded->nr_modules <= HVM_MODULES_MAX);
    for (unsigned int i = 0; i < memory->nr; i++) {
        struct memory_range a = memory->ranges[i];

        MUST(a.start < a.end && a.end <= HVM_MEMORY_END && (a.start | a.end) % PAGE_SIZE == 0);
        for (unsigned int j = 0; j < i; j++)
            MUST(a.end <= memory->ranges[j].start || a.start >= memory->ranges[j].end);
        for (unsigned int j = 0; j < loaded->nr_modules; j++) {
            struct hvm_module m = loaded->modules[j];

            MUST(m.size == 0 || m.paddr >= a.end ||
                 (m.paddr + m.size <= a.start && m.paddr + m.size > m.paddr));
        }
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
    told = data + 1;
    told_size = size - 1;
    decoders[data[0] % ARRAY_SIZE(decoders)](PADDR, look, loaded);
    check(loaded);
    free(loaded);
    free(seen);
    seen = NULL;
    return 0;
}
