/* SPDX-License-Identifier: MIT
 *
 * Names for addresses.  The build links every image twice: the second time with a table of the
 * functions that the first one had (tools/symbols.py, which says why it looks as it does).
 */
#include "arch/page.h"
#include "lib/log.h"
#include "lib/panic.h"

#define NAME_MAX   72
#define PAIR_FIRST 0x80 /* a byte of a name from here on stands for two */

extern char __text_start[], __text_end[];

/* Of each function, ascending: how far behind the one before (from __text_start) it begins, seven
 * bits a byte, the low ones first, the top bit set in all but the last; then its name, ended by a
 * zero byte. */
extern const uint8_t symbol_table[];
extern const uint32_t symbol_count;
extern const uint8_t symbol_pairs[][2]; /* each byte may stand for two again */

static const uint8_t *read_distance(const uint8_t *at, unsigned long *offset)
{
    unsigned int shift = 0;

    do {
        *offset += (unsigned long)(*at & 0x7f) << shift;
        shift += 7;
    } while (*at++ & 0x80);
    return at;
}

/* `byte` written out behind the `len` characters of `name`; how many there are then. */
static size_t put(char *name, size_t len, uint8_t byte)
{
    if (byte >= PAIR_FIRST) {
        len = put(name, len, symbol_pairs[byte - PAIR_FIRST][0]);
        return put(name, len, symbol_pairs[byte - PAIR_FIRST][1]);
    }
    if (len < NAME_MAX - 1)
        name[len++] = (char)byte;
    return len;
}

int symbol_text(char *out, size_t size, unsigned long address)
{
    unsigned long wanted = address - (unsigned long)__text_start, next = 0, offset = 0;
    unsigned long text_size = (unsigned long)__text_end - (unsigned long)__text_start;
    const uint8_t *at = symbol_table, *found = NULL;
    char name[NAME_MAX];
    size_t len = 0;

    for (uint32_t n = 0; n < symbol_count && wanted < text_size; n++) {
        at = read_distance(at, &next);
        if (next > wanted)
            break;
        found = at;
        offset = next;
        while (*at++)
            ;
    }
    if (!found)
        return format_text(out, size, "0x%lx", address);
    while (*found)
        len = put(name, len, *found++);
    name[len] = '\0';
    return format_text(out, size, "%s+0x%lx (0x%lx)", name, wanted - offset, address);
}
