/* SPDX-License-Identifier: MIT
 *
 * The host test framework: parts of the kernel run as an ordinary program, on a fake Xen that a
 * test can make lie.  A test file is tests/host/test_NAME.c and holds TESTs, named
 * subject_condition; nothing else is edited to add one.  Each TEST runs in a process of its own, so
 * it starts from the state a booting domain has, a crash fails it alone, and it ends after
 * TEST_TIMEOUT_S at the latest.
 */
#pragma once
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "lib/types.h"
#include "tests/host/fake_xen.h"

#define TEST_TIMEOUT_S 60

struct test {
    const char *file, *name;
    void (*fn)(void);
    struct test *next;
};

/* Called before main by TEST(); tests run in the order of their file. */
void test_register(struct test *test);
/* Note a failure; printed at once, the test goes on. Any thread. */
void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define TEST(test_name)                                                                            \
    static void test_##test_name(void);                                                            \
    static struct test test_record_##test_name = { __FILE__, #test_name, test_##test_name, NULL }; \
    __attribute__((constructor)) static void test_register_##test_name(void)                       \
    {                                                                                              \
        test_register(&test_record_##test_name);                                                   \
    }                                                                                              \
    static void test_##test_name(void)

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            test_fail(__FILE__, __LINE__, "%s", #cond);                                            \
    } while (0)

/* Integers or pointers, compared as 64-bit numbers; `relation` is an operator. */
#define CHECK_COMPARE(a, relation, b)                                                              \
    do {                                                                                           \
        int64_t a_ = (int64_t)(a), b_ = (int64_t)(b);                                              \
        if (!(a_ relation b_))                                                                     \
            test_fail(__FILE__, __LINE__,                                                          \
                      "%s %s %s: %" PRId64 " (0x%" PRIx64 "), %" PRId64 " (0x%" PRIx64 ")", #a,    \
                      #relation, #b, a_, (uint64_t)a_, b_, (uint64_t)b_);                          \
    } while (0)
#define CHECK_EQ(a, b) CHECK_COMPARE(a, ==, b)
#define CHECK_NE(a, b) CHECK_COMPARE(a, !=, b)
#define CHECK_LT(a, b) CHECK_COMPARE(a, <, b)
#define CHECK_LE(a, b) CHECK_COMPARE(a, <=, b)
#define CHECK_GT(a, b) CHECK_COMPARE(a, >, b)
#define CHECK_GE(a, b) CHECK_COMPARE(a, >=, b)

/* Two strings, either may be NULL. */
#define CHECK_STR(a, b)                                                                            \
    do {                                                                                           \
        const char *a_ = (a), *b_ = (b);                                                           \
        if (!a_ || !b_ ? a_ != b_ : strcmp(a_, b_) != 0)                                           \
            test_fail(__FILE__, __LINE__, "%s: \"%s\", not \"%s\"", #a, a_ ? a_ : "(NULL)",        \
                      b_ ? b_ : "(NULL)");                                                         \
    } while (0)

/* The same bytes. */
#define CHECK_MEM(a, b, len)                                                                       \
    do {                                                                                           \
        if (memcmp(a, b, len) != 0)                                                                \
            test_fail(__FILE__, __LINE__, "%s and %s differ within %zu bytes", #a, #b,             \
                      (size_t)(len));                                                              \
    } while (0)

/* Wait, at most five seconds of real time, until `cond` holds: for what another thread does. */
#define CHECK_SOON(cond)                                                                           \
    do {                                                                                           \
        int turns_ = 5000;                                                                         \
        while (!(cond) && turns_-- > 0)                                                            \
            fake_pause_ms(1);                                                                      \
        if (turns_ < 0)                                                                            \
            test_fail(__FILE__, __LINE__, "not within 5 s: %s", #cond);                            \
    } while (0)

/* `statement` must end in a panic() or SCHEDOP_shutdown; fake_xen.last_words then says which. */
#define CHECK_ENDS_DOMAIN(statement)                                                               \
    do {                                                                                           \
        fake_catch.active = true;                                                                  \
        if (setjmp(fake_catch.at) == 0) {                                                          \
            statement;                                                                             \
            test_fail(__FILE__, __LINE__, "did not end the domain: %s", #statement);               \
        }                                                                                          \
        fake_catch.active = false;                                                                 \
    } while (0)
