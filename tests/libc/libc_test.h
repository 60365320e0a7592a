/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the C library comparison share. The program prints what C99 and POSIX fix and
 * nothing an implementation may choose, so that every C library prints the same bytes.
 */
#ifndef LIBC_TEST_H
#define LIBC_TEST_H

#include <stddef.h>
#include <stdint.h>

/* Print one line, by vprintf and by vsnprintf both; `fmt` has no newline. At most 1000 bytes. */
void out(const char *fmt, ...);

/* The next number of a fixed pseudo-random sequence; `random_restart` goes back to its beginning.
 */
uint64_t random_next(void);
void random_restart(void);

/* A double with random bits: any exponent, no infinity, no NaN, no denormal. */
double random_double(void);

/* "ERANGE", "0" and so on: the numbers differ between systems. */
const char *errno_name(int number);

void test_printf_integers(void);
void test_printf_doubles(void);
void test_printf_long_doubles(void);
void test_printf_text(void);
void test_scanf(void);
void test_scanf_long_doubles(void);
void test_strtol(void);
void test_strtod(void);
void test_strtold(void);
void test_strings(void);
void test_ctype(void);
void test_sort(void);
void test_malloc(void);
void test_time(void);
void test_jump(void);
void test_math(void);
void test_wide(void);

#endif
