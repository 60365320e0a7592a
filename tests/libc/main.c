/* SPDX-License-Identifier: MIT */
/*
 * Compares C libraries: prints tens of thousands of lines that the C standard fixes. Run with the
 * host's library and with newlib (on the host or as a domain), the outputs must be equal byte for
 * byte. Each section ends with a line "section NAME lines N crc C"; with the argument "digest" only
 * those lines are printed, for consoles where megabytes take long.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libc_test.h"

#define LINE_MAX_BYTES 1024

static int digest_only;
static uint32_t section_crc;
static unsigned long section_lines, total_lines;
static uint64_t random_state;

static void crc_add(const char *text, size_t len)
{
    while (len--) {
        section_crc ^= (unsigned char)*text++;
        for (int bit = 0; bit < 8; bit++)
            section_crc = (section_crc >> 1) ^ (section_crc & 1 ? 0xedb88320u : 0);
    }
}

void out(const char *fmt, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;
    int len, printed;

    va_start(args, fmt);
    len = vsnprintf(line, sizeof line - 1, fmt, args);
    va_end(args);
    if (len < 0 || len >= (int)sizeof line - 1) {
        printf("FAILED: vsnprintf of \"%s\" returned %d\n", fmt, len);
        return;
    }
    crc_add(line, (size_t)len);
    crc_add("\n", 1);
    section_lines++;
    if (digest_only)
        return;
    va_start(args, fmt);
    printed = vprintf(fmt, args);
    va_end(args);
    putchar('\n');
    if (printed != len)
        printf("FAILED: vprintf returned %d, vsnprintf %d\n", printed, len);
}

void random_restart(void)
{
    random_state = 0x9e3779b97f4a7c15u;
}

uint64_t random_next(void) /* xorshift64* */
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1du;
}

double random_double(void)
{
    uint64_t bits;
    double value;

    do {
        bits = random_next();
        memcpy(&value, &bits, sizeof value);
    } while (!isnormal(value));
    return value;
}

const char *errno_name(int number)
{
    switch (number) {
    case 0:
        return "0";
    case ERANGE:
        return "ERANGE";
    case EINVAL:
        return "EINVAL";
    case EILSEQ:
        return "EILSEQ";
    case EDOM:
        return "EDOM";
    default:
        return "another errno";
    }
}

static const struct section {
    const char *name;
    void (*run)(void);
} sections[] = {
    { "printf-integers", test_printf_integers },
    { "printf-doubles", test_printf_doubles },
    { "printf-long-doubles", test_printf_long_doubles },
    { "printf-text", test_printf_text },
    { "scanf", test_scanf },
    { "scanf-long-doubles", test_scanf_long_doubles },
    { "strtol", test_strtol },
    { "strtod", test_strtod },
    { "strtold", test_strtold },
    { "strings", test_strings },
    { "ctype", test_ctype },
    { "sort", test_sort },
    { "malloc", test_malloc },
    { "time", test_time },
    { "jump", test_jump },
    { "math", test_math },
    { "wide", test_wide },
};

int main(int argc, char **argv)
{
    digest_only = argc > 1 && strcmp(argv[1], "digest") == 0;
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        random_restart();
        section_crc = 0xffffffffu;
        section_lines = 0;
        sections[i].run();
        printf("section %s lines %lu crc %08lx\n", sections[i].name, section_lines,
               (unsigned long)~section_crc & 0xffffffffu);
        total_lines += section_lines;
    }
    printf("libc comparison: %lu lines, end\n", total_lines);
    return 0;
}
