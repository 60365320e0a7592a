/* SPDX-License-Identifier: MIT */
/*
 * printf's conversions: every flag, width, precision and length that C99 defines, over edge values
 * and random ones. Not here: %p (the format is free), %a of denormals and of long double (the
 * leading digit is free), the sign of a NaN (free).
 */
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "libc_test.h"

static const char *const flags[] = { "", "-", "+", " ", "#", "0", "-+", " 0", "+#0" };
static const char *const widths[] = { "", "1", "24" };
static const char *const precisions[] = { "", ".", ".0", ".1", ".3", ".9", ".20" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Call `use` for every combination of flags, width and precision before `conversion`. */
static void each_format(const char *conversion, void (*use)(const char *format))
{
    for (size_t f = 0; f < COUNT(flags); f++)
        for (size_t w = 0; w < COUNT(widths); w++)
            for (size_t p = 0; p < COUNT(precisions); p++) {
                char format[40];

                sprintf(format, "[%%%s%s%s%s]", flags[f], widths[w], precisions[p], conversion);
                use(format);
            }
}

static void int_values(const char *format)
{
    static const int values[] = { 0, 1, -1, 42, -31337, INT_MAX, INT_MIN };

    for (size_t i = 0; i < COUNT(values); i++)
        out(format, values[i]);
}

static void long_long_values(const char *format)
{
    static const long long values[] = { 0, -1, 0x123456789abcdefll, LLONG_MAX, LLONG_MIN };

    for (size_t i = 0; i < COUNT(values); i++)
        out(format, values[i]);
}

void test_printf_integers(void)
{
    static const char *const conversions[] = { "d", "i", "u", "x", "X", "o" };

    for (size_t c = 0; c < COUNT(conversions); c++) {
        char conversion[8];

        each_format(conversions[c], int_values);
        sprintf(conversion, "ll%s", conversions[c]);
        each_format(conversion, long_long_values);
    }
    for (int i = 0; i < 500; i++) {
        uint64_t n = random_next();
        size_t size = (size_t)n;
        uint64_t m = n >> (i % 64);

        out("%hhd %hhu %hhx %hho %hd %hu %hx %ho", (int)n, (int)n, (int)n, (int)n, (int)n, (int)n,
            (int)n, (int)n);
        out("%ld %lu %lx %lo %li", (long)(int32_t)n, (unsigned long)(uint32_t)n,
            (unsigned long)(uint32_t)n, (unsigned long)(uint32_t)n, (long)(int32_t)m);
        out("%zu %zx %zo %zd", size & 0x7fffffff, size & 0x7fffffff, size & 0x7fffffff,
            size & 0x7fffffff);
        out("%jd %ju %jx %td", (intmax_t)n, (uintmax_t)n, (uintmax_t)m, (ptrdiff_t)(int32_t)m);
        out("%" PRId64 " %" PRIu64 " %" PRIx64 " %" PRId32 " %" PRIu16 " %" PRIx8, (int64_t)n, n, m,
            (int32_t)n, (uint16_t)n, (uint8_t)n);
        out("%*d|%-*d|%.*d|%*.*d", (int)(n % 30), 7, (int)(n % 20), -7, (int)(n % 10), (int)m,
            (int)(n % 60) - 30, (int)(m % 10) - 2, (int)n);
    }
}

static void double_values(const char *format)
{
    static const double values[] = { 0.0,         -0.0, 1.0,    -1.5,    0.1,     9.995,
                                     123456789.0, 1e-5, 2.5e15, DBL_MAX, DBL_MIN, 5e-324 };

    for (size_t i = 0; i < COUNT(values); i++)
        out(format, values[i]);
    out(format, (double)INFINITY);
    out(format, -(double)INFINITY);
    out(format, (double)NAN);
}

static void hex_double_values(const char *format)
{
    static const double values[] = { 0.0, -0.0, 1.0, -1.5, 0.1, 123456789.0, DBL_MAX, DBL_MIN };

    for (size_t i = 0; i < COUNT(values); i++)
        out(format, values[i]);
}

void test_printf_doubles(void)
{
    static const char *const conversions[] = { "e", "f", "g", "E", "F", "G" };

    for (size_t c = 0; c < COUNT(conversions); c++)
        each_format(conversions[c], double_values);
    each_format("a", hex_double_values);
    each_format("A", hex_double_values);
    for (int i = 0; i < 3000; i++) {
        double value = random_double();
        double near_one = ldexp((double)(random_next() >> 11), -(int)(random_next() % 70));

        out("%.17g %g %e %.0e %a", value, value, value, value, value);
        out("%f %.17g %g %.*f %.*e", near_one, near_one, near_one, i % 25, near_one, i % 25,
            near_one);
    }
    for (int i = 0; i < 400; i++) { /* halves: ties go to even */
        out("%.0f %.1f %.2f %.3f %.0e %.2e", i / 2.0, i / 4.0, i / 8.0, i / 16.0, i / 2.0, i / 8.0);
        out("%.40f %.60e %#.0f %#.0e %#g", i / 7.0, i / 7.0, i / 7.0, i / 7.0, i / 8.0);
    }
    out("%f", DBL_MAX);
    out("%.330f", DBL_MIN);
    out("%Lf", (long double)1.25);
}

static void long_double_values(const char *format)
{
    static const long double values[] = { 0.0L, -0.0L, 1.0L, 0.1L, -2.5L, 1e100L, LDBL_EPSILON };

    for (size_t i = 0; i < COUNT(values); i++)
        out(format, values[i]);
}

void test_printf_long_doubles(void)
{
    each_format("Lf", long_double_values);
    each_format("Le", long_double_values);
    each_format("Lg", long_double_values);
    for (int i = 0; i < 1000; i++) {
        long double value = ldexpl((long double)random_next(), (int)(random_next() % 400) - 200);

        out("%.21Lg %Lg %Le %.30Le", value, value, value, value);
        out("%Lf %.25Lf %.10Lf", 1 / value, value / 3, value);
    }
    out("%Lg %Lg", LDBL_MAX, LDBL_MIN);
    out("%.30Le %.30Le", LDBL_MAX, LDBL_MIN);
    out("%Lf %LF %Le %LG", (long double)INFINITY, -(long double)INFINITY, (long double)NAN,
        (long double)INFINITY);
}

void test_printf_text(void)
{
    static const char text[] = "The quick brown fox jumps over the lazy dog";
    char small[8];
    int so_far = -1;

    for (int width = -50; width <= 50; width++)
        for (int precision = -1; precision <= 45; precision += 2)
            out("[%*.*s]", width, precision, text);
    for (int c = 32; c < 127; c++)
        out("[%c][%3c][%-3c][%lc][%%]", c, c, c, (wint_t)c);
    out("[%ls][%10ls][%-10ls][%.3ls]", L"wide", L"wide", L"wide", L"wide");
    out("[%s]%n[%s]", "abc", &so_far, "def");
    out("%%n gave %d", so_far);
    for (size_t size = 0; size <= sizeof small; size++) {
        memset(small, '#', sizeof small);
        int len = snprintf(small, size, "%s-%d", "abc", 12345);

        out("snprintf to %zu: %d, %.*s", size, len, (int)sizeof small, size ? small : "");
    }
    out("null buffer: %d", snprintf(NULL, 0, "%d %s %.3f", 12345, "text", 1.5));
    out("%.3s|%.*s", "abcdef", 2, "xyz");
}
