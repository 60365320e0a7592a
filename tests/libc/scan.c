/* SPDX-License-Identifier: MIT */
/*
 * scanf and the strto* family: values, where they stop, and errno. Underflow's errno is free.
 * Not here, as newlib 4.5 is known to do them wrong: scanf counts the 0 of 0x twice when a width
 * limits a hexadecimal floating number, and takes INF from INFI, where C asks for a matching
 * failure.
 */
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libc_test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void scan_random_numbers(void)
{
    for (int i = 0; i < 1000; i++) {
        uint64_t n = random_next() >> (i % 60);
        double value = random_double(), d1 = 0, d2 = 0;
        float f = 0;
        char text[400];
        signed char hh = 0;
        short h = 0;
        int d = 0, count;
        long l = 0;
        long long ll = 0;
        unsigned long long x = 0, o = 0;
        size_t z = 0;
        intmax_t j = 0;
        ptrdiff_t t = 0;

        sprintf(text, "%d %d %d %ld %lld %llx %llo %zu %jd %td", (int)(n & 127), (int)(n & 32767),
                (int)n, (long)(int32_t)n, (long long)n, (unsigned long long)n,
                (unsigned long long)n, (size_t)(n & 0x7fffffff), (intmax_t)n,
                (ptrdiff_t)(int32_t)n);
        count = sscanf(text, "%hhd%hd%d%ld%lld%llx%llo%zu%jd%td", &hh, &h, &d, &l, &ll, &x, &o, &z,
                       &j, &t);
        out("%d: %d %d %d %ld %lld %llu %llu %zu %jd %td", count, hh, h, d, l, ll, x, o, z, j, t);
        sprintf(text, "%.17g %a %.6g", value, value, (double)(i * 0.37f));
        count = sscanf(text, "%lf %lg %f", &d1, &d2, &f);
        out("%d: %.17g %.17g %.9g %d", count, d1, d2, (double)f, d1 == value && d2 == value);
    }
}

static void scan_words(void)
{
    static const char *const inputs[] = {
        "hello world", "  leading", "a,b;c", "12abc",  "-17xyz", "0x1fz",
        "077q",        "0",         "",      "   ",    "+5",     "-",
        "3.25e2x",     ".5",        "1e5",   "-.125",  "inf",    "nan",
        "INFINITYx",   "abcABC123", "]x",    "^caret", "100%",   "12345678901234567890",
        "key=value",   "a\tb\nc",
    };
    for (size_t i = 0; i < COUNT(inputs); i++) {
        char word[32] = "-", set[32] = "-", chars[4] = "---", rest[32] = "-";
        int d = -99, n = -1, n2 = -1, count;
        unsigned int u = 99;
        double value = -99;

        count = sscanf(inputs[i], "%31s%n", word, &n);
        out("\"%s\" %%s: %d %s %d", inputs[i], count, word, n);
        count = sscanf(inputs[i], "%d%n", &d, &n);
        if (i != 23) /* the value of an overflow is undefined */
            out("  %%d: %d %d %d", count, d, n);
        d = -99;
        count = sscanf(inputs[i], "%3i%n", &d, &n);
        out("  %%3i: %d %d %d", count, d, n);
        if (!strchr("I0", inputs[i][0])) { /* newlib's two faults, see above */
            count = sscanf(inputs[i], "%4lf%n", &value, &n);
            out("  %%4lf: %d %g %d", count, value, n);
        }
        count = sscanf(inputs[i], "%31[a-z]%n%*[^a-z]%n", set, &n, &n2);
        out("  set: %d %s %d %d", count, set, n, n2);
        count = sscanf(inputs[i], "%31[^,=]%*1[,=]%31s", set, rest);
        out("  split: %d %s %s", count, set, rest);
        count = sscanf(inputs[i], "%3c", chars);
        out("  %%3c: %d %.3s", count, count == 1 ? chars : "");
        count = sscanf(inputs[i], "%2d%1u", &d, &u);
        out("  %%2d%%1u: %d %d %u", count, d, u);
        count = sscanf(inputs[i], "%31[]x]", set);
        out("  bracket: %d %s", count, set);
    }
}

void test_scanf(void)
{
    int a = 0, b = 0, c = 0, n = 0;
    char text[16] = "";
    float f = 0;

    scan_random_numbers();
    scan_words();
    out("%d", sscanf("2024-03-17T05:06:07", "%d-%d-%dT%n", &a, &b, &c, &n));
    out("%d %d %d %d", a, b, c, n);
    out("%d", sscanf("10 %  20", "%d %% %d", &a, &b));
    out("%d %d", a, b);
    n = sscanf("<tag attr>", "<%15[^> ] %*s", text);
    out("%d %s", n, text);
    out("%d", sscanf("1.5 2", "%f,%d", &f, &a));
    out("%g", (double)f);
    out("%d %d", sscanf("", "%d", &a), sscanf("x", "%d", &a));
    n = sscanf("0xdeadBEEF", "%x", (unsigned int *)&a);
    out("%d %x", n, (unsigned int)a);
    n = sscanf("0777", "%i", &a);
    out("%d %o", n, (unsigned int)a);
}

void test_scanf_long_doubles(void)
{
    for (int i = 0; i < 500; i++) {
        long double value = ldexpl((long double)random_next(), (int)(random_next() % 300) - 150);
        long double back = 0;
        char text[100];
        int count;

        sprintf(text, "%.40Le", value);
        count = sscanf(text, "%Lf", &back);
        out("%d %.25Lg %d", count, back, back == value);
    }
}

static const char *const integers[] = {
    "0",
    "1",
    "-1",
    "+7",
    "  42",
    "\t\n 42",
    "42abc",
    "",
    " ",
    "-",
    "+",
    "abc",
    "0x10",
    "0X1F",
    "010",
    "08",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999",
    "zz",
    "Zz9",
    "777",
    "--5",
    "+-5",
    "1 2",
    "0b11",
    "7fffffffffffffff",
    "ffffffffffffffff",
    "-ffffffffffffffff",
};

void test_strtol(void)
{
    static const int bases[] = { 0, 2, 3, 8, 10, 16, 27, 36 };

    for (size_t i = 0; i < COUNT(integers); i++)
        for (size_t b = 0; b < COUNT(bases); b++) {
            const char *text = integers[i];
            char *end = NULL;
            long long s;
            unsigned long long u;

            if (strncmp(text, "0b", 2) == 0 && (bases[b] == 0 || bases[b] == 2))
                continue; /* C23 reads it as binary */
            errno = 0;
            s = strtoll(text, &end, bases[b]);
            out("\"%s\" base %d: %lld at %td %s", text, bases[b], s, end - text, errno_name(errno));
            errno = 0;
            u = strtoull(text, &end, bases[b]);
            out("  unsigned %llu at %td %s", u, end - text, errno_name(errno));
            errno = 0;
            s = strtoimax(text, &end, bases[b]);
            u = strtoumax(text, &end, bases[b]);
            out("  max %lld %llu %s", s, u,
                errno == ERANGE ? "ERANGE" : ""); /* EINVAL is optional */
        }
    for (int i = 0; i < 1000; i++) {
        uint64_t n = random_next() >> (i % 64);
        int base = 2 + (int)(random_next() % 35);
        char digits[80], *p = digits + sizeof digits - 1, *end;
        uint64_t rest = n, back;

        *p = 0;
        do
            *--p = "0123456789abcdefghijklmnopqrstuvwxyz"[rest % base];
        while (rest /= base);
        back = strtoull(p, &end, base);
        out("%s base %d: %d at end %d", p, base, back == n, *end == 0);
    }
    out("%d %ld %lld %g", atoi("-12x"), atol("77"), atoll("-9000000000"), atof("2.5e3z"));
    for (size_t i = 0; i < COUNT(integers); i++) /* int-sized results: the same for all longs */
        out("%d", (int)strtol(integers[i], NULL, 0) == 42);
}

static const char *const numbers[] = {
    "0",
    "-0",
    "1",
    "1.",
    ".5",
    ".",
    "-.",
    "1e",
    "1e+",
    "1e5",
    "1E-5x",
    "0x1p4",
    "0x1.8p-1",
    "0x.8",
    "0x1.fffffffffffff8p0",
    "0x1.fffffffffffff7p0",
    "0x1.00000000000008p0",
    "0x1.000000000000081p0",
    "inf",
    "INF",
    "-infinity",
    "infinit",
    "nan",
    "NAN",
    "1e308",
    "1.7976931348623157e308",
    "1.7976931348623159e308",
    "1e309",
    "-1e400",
    "2.2250738585072014e-308",
    "2.2250738585072011e-308",
    "4.9406564584124654e-324",
    "3e-324",
    "  12.5  ",
    "1_000",
    "1,5",
    "0e999999999",
    "1e-999999999",
    "123456789012345678901234567890",
    "0.1",
    "0.1000000000000000055511151231257827",
    "9007199254740993",
    "9007199254740992.5",
    "9007199254740993.00000000000000000000000000000001",
    "179769313486231580793728971405301e276",
    "5e-1",
    "000012.5e01",
    "1e0x",
    "+3.5",
    "++3",
    "e5",
    "100000000000000000000000000000000000000000000000000000000000000000000000e-60",
};

/* Digits, a point, digits and an exponent somewhere in a range of `exponents` around 0. */
static void random_decimal(char *text, int exponents)
{
    unsigned long long whole = random_next();
    unsigned long long fraction = random_next();
    int exponent = (int)(random_next() % (unsigned int)exponents) - exponents / 2;

    sprintf(text, "%llu.%llue%d", whole, fraction, exponent);
}

void test_strtod(void)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        char *end;
        double d;
        float f;

        errno = 0;
        d = strtod(numbers[i], &end);
        if (isnan(d))
            out("%s: nan at %td", numbers[i], end - numbers[i]);
        else
            out("%s: %.17g at %td %s", numbers[i], d, end - numbers[i],
                isinf(d) ? errno_name(errno) : "");
        f = strtof(numbers[i], &end);
        if (!isnan(f))
            out("  float %.9g at %td", (double)f, end - numbers[i]);
    }
    for (int i = 0; i < 3000; i++) {
        double value = random_double(), back;
        char text[100];

        sprintf(text, "%.*e", 12 + i % 30, value);
        back = strtod(text, NULL);
        out("%s %.17g %d", text, back, back == value);
        random_decimal(text, 600);
        out("%s %.17g %.9g", text, strtod(text, NULL), (double)strtof(text, NULL));
    }
}

void test_strtold(void)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        char *end;
        long double value = strtold(numbers[i], &end);

        if (end == numbers[i])
            value = 0; /* no number: the sign of the zero is free */
        if (isnan(value))
            out("%s: nan at %td", numbers[i], end - numbers[i]);
        else
            out("%s: %.25Lg at %td", numbers[i], value, end - numbers[i]);
    }
    for (int i = 0; i < 1000; i++) {
        char text[100];

        random_decimal(text, 9000);
        out("%s %.25Lg", text, strtold(text, NULL));
    }
}
