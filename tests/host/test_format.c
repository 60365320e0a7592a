/* SPDX-License-Identifier: MIT
 *
 * The kernel's printf against the host's, for the formats that lib/log.h documents.
 */
#include <stdlib.h>
#include "lib/log.h"
#include "tests/host/test.h"

#define OUT_MAX 400

static uint64_t seed = 1;

static uint64_t draw(uint64_t below)
{
    seed = seed * 6364136223846793005 + 1442695040888963407;
    return (seed >> 33) % below;
}

/* A number of any length of digits, negative ones too. */
static uint64_t draw_value(void)
{
    static const uint64_t special[] = {
        0,          1,          UINT64_MAX, INT64_MAX,  (uint64_t)INT64_MIN, UINT32_MAX,
        0x80000000, 0x7fffffff, 0x8000,     0xffff7fff, 1000000000,          9999999999
    };
    uint64_t value = draw(1UL << 31) << 33 ^ draw(1UL << 31) << 11 ^ draw(2048);

    return draw(4) == 0 ? special[draw(ARRAY_SIZE(special))] : value >> draw(64);
}

/* Both texts into blocks of exactly `size` bytes: what is written behind is seen. */
#define SAME(size, ...)                                                                            \
    do {                                                                                           \
        size_t size_ = (size);                                                                     \
        char *ours_ = malloc(size_), *host_ = malloc(size_);                                       \
        CHECK_EQ(format_text(size_ ? ours_ : NULL, size_, __VA_ARGS__),                            \
                 snprintf(host_, size_, __VA_ARGS__));                                             \
        if (size_)                                                                                 \
            CHECK_STR(ours_, host_);                                                               \
        free(ours_);                                                                               \
        free(host_);                                                                               \
    } while (0)

static size_t draw_size(void)
{
    return draw(3) ? OUT_MAX : draw(40);
}

/* "%" flags width length conversion. */
static void draw_format(char *format, const char *length, char conversion)
{
    static const char *const flags[] = { "", "", "0", "-" };
    char width[16] = "";

    if (draw(2))
        sprintf(width, "%u", 1 + (unsigned int)draw(draw(10) ? 24 : 200));
    sprintf(format, "<%%%s%s%s%c>", flags[draw(4)], width, length, conversion);
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

TEST(numbers_as_the_host_prints_them)
{
    static const char conversions[] = "diuxX";

    for (unsigned int run = 0; run < 60000; run++) {
        char c = conversions[draw(5)], format[64];
        uint64_t value = draw_value();

        switch (draw(5)) {
        case 0:
            draw_format(format, "", c);
            SAME(draw_size(), format, (int)value);
            break;
        case 1:
            draw_format(format, "h", c);
            SAME(draw_size(), format, (short)value);
            break;
        case 2:
            draw_format(format, "l", c);
            SAME(draw_size(), format, (long)value);
            break;
        case 3:
            draw_format(format, "ll", c);
            SAME(draw_size(), format, (long long)value);
            break;
        default:
            draw_format(format, "z", c);
            SAME(draw_size(), format, (size_t)value);
        }
    }
}

TEST(pointers_as_the_host_prints_them)
{
    char out[32];

    for (unsigned int run = 0; run < 3000; run++) {
        char format[64];
        uint64_t value = draw_value();

        draw_format(format, "", 'p');
        if (value)
            SAME(draw_size(), format, (void *)value);
    }
    CHECK_EQ(format_text(out, sizeof(out), "%p", NULL), 3); /* the host's "(nil)" is its own */
    CHECK_STR(out, "0x0");
}

TEST(strings_as_the_host_prints_them)
{
    for (unsigned int run = 0; run < 20000; run++) {
        size_t len = draw(30);
        char format[64], *text = malloc(len + 1);
        int precision = (int)draw(35);

        for (size_t i = 0; i < len; i++)
            text[i] = (char)(1 + draw(255));
        text[len] = '\0';
        switch (draw(3)) {
        case 0:
            sprintf(format, "[%%%s%us]", draw(2) ? "-" : "", 1 + (unsigned int)draw(40));
            SAME(draw_size(), format, text);
            break;
        case 1:
            sprintf(format, "[%%%u.%ds]", 1 + (unsigned int)draw(40), precision);
            SAME(draw_size(), format, text);
            break;
        default:
            SAME(draw_size(), "[%.*s]%s", precision, text, "tail");
        }
        free(text);
    }
    SAME(OUT_MAX, "%.*s|%.0s|%.s|", -1, "negative: all of it", "nothing", "nothing");
}

TEST(precise_string_needs_no_end)
{
    char *text = malloc(5), out[16];

    memcpy(text, "abcde", 5);
    CHECK_EQ(format_text(out, sizeof(out), "%.5s", text), 5);
    CHECK_STR(out, "abcde");
    CHECK_EQ(format_text(out, sizeof(out), "%.*s", 3, text), 3);
    CHECK_STR(out, "abc");
    free(text);
}

TEST(characters_and_percent)
{
    for (int c = 1; c < 256; c++) {
        SAME(OUT_MAX, "%c|%3c|%-3c|%%", c, c, c);
        SAME(draw(8), "%c|%3c|%-3c|%%", c, c, c);
    }
}

TEST(width_from_an_argument)
{
    for (int width = -30; width <= 30; width++) {
        SAME(OUT_MAX, "<%*d>", width, 42);
        SAME(OUT_MAX, "<%0*d>", width, -42);
        SAME(OUT_MAX, "<%-*s>", width, "text");
        SAME(OUT_MAX, "<%*.*s>", width, 2, "text");
    }
}

TEST(size_0_counts_and_writes_nothing)
{
    char out[4] = "abc";

    CHECK_EQ(format_text(out, 0, "%s %d", "longer than that", 7), 18);
    CHECK_STR(out, "abc");
    CHECK_EQ(format_text(NULL, 0, "%s", "x"), 1);
    CHECK_EQ(format_text(out, 1, "x"), 1);
    CHECK_STR(out, "");
    CHECK_EQ(format_text(out, 1, "%s", ""), 0);
}

TEST(null_string_is_shown)
{
    char out[16], *null = NULL;

    __asm__("" : "+r"(null)); /* or the compiler warns */
    CHECK_EQ(format_text(out, sizeof(out), "%s", null), 6);
    CHECK_STR(out, "(null)");
}

/* What a format that is not documented or not finished does: it is shown, and nothing is read. */
TEST(unknown_formats_do_no_harm)
{
    static const char *const formats[] = { "%", "a%", "%-", "%08", "%l", "%.", "%5.", "%llz" };
    const char *odd = "%k%!";
    char out[64];

    for (unsigned int i = 0; i < ARRAY_SIZE(formats); i++) {
        char *exact = strdup(formats[i]); /* reading behind it is seen */

        CHECK_LE(format_text(out, sizeof(out), exact), 2);
        free(exact);
    }
    format_text(out, sizeof(out), odd, 1);
    CHECK_STR(out, "k!");
}
