/* SPDX-License-Identifier: MIT
 *
 * Names for addresses, from a table of the test's.
 */
#include "lib/panic.h"
#include "tests/host/test.h"

/* The image's text: only its addresses matter. */
__asm__(".bss\n"
        ".globl __text_start, __text_end\n"
        "__text_start: .skip 0x1000\n"
        "__text_end: .skip 1\n"
        ".text\n");
extern char __text_start[], __text_end[];

/* What tools/symbols.py links into an image. */
uint8_t symbol_table[128];
uint32_t symbol_count;
uint8_t symbol_pairs[4][2] = { { 'a', 'b' }, { 0x80, 'c' }, { 0x81, 0x81 } };

static void add(uint32_t offset, const char *name)
{
    static size_t len;
    static uint32_t before;

    for (before = offset - before; before >= 0x80; before >>= 7)
        symbol_table[len++] = 0x80 | (before & 0x7f);
    symbol_table[len++] = (uint8_t)before;
    before = offset;
    symbol_count++;
    memcpy(symbol_table + len, name, strlen(name) + 1);
    len += strlen(name) + 1;
}

static void expect(unsigned long offset, const char *name, unsigned long within)
{
    unsigned long address = (unsigned long)__text_start + offset;
    char want[80], text[80];

    if (name)
        snprintf(want, sizeof(want), "%s+0x%lx (0x%lx)", name, within, address);
    else
        snprintf(want, sizeof(want), "0x%lx", address);
    CHECK_EQ(symbol_text(text, sizeof(text), address), strlen(want));
    CHECK_STR(text, want);
}

TEST(address_is_in_the_function_before_it)
{
    add(0, "start");
    add(0x10, "a");
    add(0x400, "middle_one");
    add(0xff0, "last");
    expect(0, "start", 0);
    expect(0xf, "start", 0xf);
    expect(0x10, "a", 0);
    expect(0x3ff, "a", 0x3ef);
    expect(0x400, "middle_one", 0);
    expect(0xfef, "middle_one", 0xbef);
    expect(0xff0, "last", 0);
    expect(0xfff, "last", 0xf);
}

TEST(address_outside_the_text_is_a_number)
{
    char text[40];

    add(0, "start");
    expect(0x1000, NULL, 0);
    expect(-1UL, NULL, 0);
    symbol_text(text, sizeof(text), 0);
    CHECK_STR(text, "0x0");
    symbol_text(text, sizeof(text), -1UL);
    CHECK_STR(text, "0xffffffffffffffff");
}

TEST(address_before_the_first_function_is_a_number)
{
    add(0x20, "first");
    expect(0x1f, NULL, 0);
    expect(0x20, "first", 0);
}

TEST(empty_table_is_numbers)
{
    expect(0, NULL, 0);
    expect(0x123, NULL, 0);
}

TEST(bytes_that_stand_for_two)
{
    add(0, "x\x80y");
    add(0x20, "\x82");
    expect(1, "xaby", 1);
    expect(0x20, "abcabc", 0);
}

TEST(name_too_long_is_cut)
{
    char text[160];

    add(0, "\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82");
    symbol_text(text, sizeof(text), (unsigned long)__text_start);
    CHECK_EQ(strcspn(text, "+"), 71);
}

TEST(small_buffer_is_not_overrun)
{
    char text[8] = "1234567";

    add(0, "a_long_name");
    CHECK_GT(symbol_text(text, 5, (unsigned long)__text_start), 20);
    CHECK_STR(text, "a_lo");
    CHECK_EQ(text[5], '6');
}
