/* SPDX-License-Identifier: MIT
 *
 * Names for addresses.  The build links every image twice: the second time with a table of the
 * functions that the first one had (tools/symbols.py).
 */
#include "arch/page.h"
#include "lib/log.h"
#include "lib/panic.h"

extern char __text_start[], __text_end[];

/* Offsets from __text_start, ascending, and the names in the same order, each ended by a zero byte.
 */
extern const uint32_t symbol_offsets[];
extern const uint32_t symbol_count;
extern const char symbol_names[];

int symbol_text(char *out, size_t size, unsigned long address)
{
    unsigned long offset = address - (unsigned long)__text_start;
    const char *name = symbol_names;
    uint32_t n = 0;

    if (address < (unsigned long)__text_start || address >= (unsigned long)__text_end ||
        symbol_count == 0 || offset < symbol_offsets[0])
        return format_text(out, size, "0x%lx", address);
    while (n + 1 < symbol_count && symbol_offsets[n + 1] <= offset) {
        n++;
        while (*name++)
            ;
    }
    return format_text(out, size, "%s+0x%lx (0x%lx)", name, offset - symbol_offsets[n], address);
}
