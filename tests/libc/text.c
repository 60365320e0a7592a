/* SPDX-License-Identifier: MIT */
/* string.h, ctype.h and the wide counterparts. Results are shown as offsets and signs only. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>
#include <wctype.h>

#include "libc_test.h"

#define BUFFER 600

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static long offset(const char *p, const char *base)
{
    return p ? (long)(p - base) : -1;
}

static unsigned long sum_of(const unsigned char *bytes, size_t len)
{
    unsigned long sum = 5381;

    while (len--)
        sum = (sum * 33 + *bytes++) & 0xffffffff;
    return sum;
}

/* Every alignment and a spread of lengths: the fast paths of the copy loops. */
static void test_memory(void)
{
    static unsigned char a[BUFFER], b[BUFFER];
    static const size_t lengths[] = { 0,  1,  2,   3,   7,   8,   9,   15,  16,  17, 31,
                                      33, 64, 127, 128, 129, 255, 256, 257, 300, 511 };

    for (size_t from = 0; from < 17; from++)
        for (size_t to = 0; to < 17; to += 3)
            for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
                size_t len = lengths[i];

                for (size_t k = 0; k < BUFFER; k++) {
                    a[k] = (unsigned char)random_next();
                    b[k] = (unsigned char)(k * 7);
                }
                memcpy(b + to, a + from, len);
                out("copy %zu %zu %zu: %08lx", from, to, len, sum_of(b, BUFFER));
                memset(b + from, (int)len, len);
                memmove(a + to, a + from, len);
                out("  %08lx %08lx %d", sum_of(b, BUFFER), sum_of(a, BUFFER),
                    sign(memcmp(a + to, b + from, len)));
                out("  %ld", offset(memchr(a + from, 0x41, len), (char *)a));
            }
}

static void random_word(char *word, size_t len, const char *letters)
{
    size_t count = strlen(letters);

    for (size_t i = 0; i < len; i++)
        word[i] = letters[random_next() % count];
    word[len] = 0;
}

static void test_words(void)
{
    for (int i = 0; i < 1500; i++) {
        char a[80], b[80], c[200];
        size_t n = random_next() % 20;

        random_word(a + i % 8, random_next() % 60, "aAb");
        memmove(a, a + i % 8, strlen(a + i % 8) + 1);
        random_word(b, random_next() % 6, "aAb");
        out("%s %s: %zu %d %d %d %d", a, b, strlen(a), sign(strcmp(a, b)), sign(strncmp(a, b, n)),
            sign(strcasecmp(a, b)), sign(strncasecmp(a, b, n)));
        out("  %ld %ld %ld %zu %zu %ld", offset(strchr(a, 'b'), a), offset(strrchr(a, 'A'), a),
            offset(strstr(a, b), a), strspn(a, "aA"), strcspn(a, "b"), offset(strpbrk(a, "bA"), a));
        strcpy(c, a);
        strcat(c, b);
        strncat(c, a, n);
        out("  %s %zu %d", c, strnlen(a, n), sign(strcoll(a, b)));
        memset(c, '#', sizeof c);
        strncpy(c, a, n);
        out("  %08lx", sum_of((unsigned char *)c, sizeof c));
    }
}

static void test_tokens(void)
{
    char text[] = " one, two,,three;four ", copy[sizeof text], *rest = NULL, *dup;

    memcpy(copy, text, sizeof text);
    for (char *p = strtok(text, " ,;"); p; p = strtok(NULL, " ,;"))
        out("token %s at %ld", p, offset(p, text));
    for (char *p = strtok_r(copy, ",", &rest); p; p = strtok_r(NULL, ",", &rest))
        out("token_r [%s]", p);
    dup = strdup("duplicate");
    out("%s %zu", dup, strlen(dup));
    free(dup);
    dup = strndup("duplicate", 3);
    out("%s", dup);
    free(dup);
}

void test_strings(void)
{
    test_memory();
    test_words();
    test_tokens();
}

void test_ctype(void)
{
    for (int c = -1; c < 256; c++)
        out("%d: %d%d%d%d%d%d%d%d%d%d%d%d %d %d", c, !!isalnum(c), !!isalpha(c), !!isblank(c),
            !!iscntrl(c), !!isdigit(c), !!isgraph(c), !!islower(c), !!isprint(c), !!ispunct(c),
            !!isspace(c), !!isupper(c), !!isxdigit(c), toupper(c), tolower(c));
}

void test_wide(void)
{
    wchar_t text[64], *end;
    char bytes[64];
    size_t count;
    long number;

    for (wint_t c = 0; c < 128; c++)
        out("%d: %d%d%d%d%d%d %d %d %d", (int)c, !!iswalpha(c), !!iswdigit(c), !!iswspace(c),
            !!iswupper(c), !!iswpunct(c), !!iswprint(c), (int)towupper(c), (int)towlower(c),
            wctob(c));
    out("%zu", mbstowcs(text, "multibyte", 64));
    out("%zu %d %ld", wcslen(text), wcscmp(text, L"multibyte"), (long)(wcschr(text, L'b') - text));
    count = wcstombs(bytes, text, sizeof bytes);
    out("%zu %s", count, bytes);
    number = wcstol(L"123z", &end, 10);
    out("%ld %d", number, *end == L'z');
    out("%.17g", wcstod(L"1.5e3", NULL));
    number = swprintf(text, 64, L"%d-%ls-%.2f", 12, L"ab", 2.5);
    out("%ld %d", number, wcscmp(text, L"12-ab-2.50"));
    out("%d", mblen("x", 1));
}
