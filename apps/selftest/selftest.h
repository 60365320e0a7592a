/* SPDX-License-Identifier: MIT
 *
 * How a test in the domain looks: TEST(subject_condition) { CHECK(...); }.  A test registers
 * itself; it may call CHECK from several threads.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "xenolith.h"

struct test {
    const char *name;
    void (*fn)(void);
    bool last; /* after all others: it leaves less memory behind than it found */
    struct test *next;
};

void test_register(struct test *test);
/* Print where and what, and let the running test fail. Always false, so that it ends an ||. */
bool test_failed(const char *file, int line, const char *what, long long got, long long want);
/* The running test can't be done here; `why` goes into the output. */
void test_skip(const char *why);

#define TEST_AS(name, is_last)                                                                     \
    static void test_##name(void);                                                                 \
    __attribute__((constructor)) static void register_##name(void)                                 \
    {                                                                                              \
        static struct test test = { #name, test_##name, is_last, NULL };                           \
                                                                                                   \
        test_register(&test);                                                                      \
    }                                                                                              \
    static void test_##name(void)
#define TEST(name)      TEST_AS(name, false)
#define TEST_LAST(name) TEST_AS(name, true)

#define CHECK(cond)                                                                                \
    ({                                                                                             \
        bool ok_ = (cond) || test_failed(__FILE__, __LINE__, #cond, 0, 1);                         \
                                                                                                   \
        ok_;                                                                                       \
    })
#define CHECK_EQ(expr, want)                                                                       \
    ({                                                                                             \
        long long got_ = (long long)(expr), want_ = (long long)(want);                             \
        bool ok_ = got_ == want_ || test_failed(__FILE__, __LINE__, #expr, got_, want_);           \
                                                                                                   \
        ok_;                                                                                       \
    })
/* For what the rest of the test stands on. */
#define REQUIRE(cond)                                                                              \
    do {                                                                                           \
        if (!CHECK(cond))                                                                          \
            return;                                                                                \
    } while (0)
#define REQUIRE_EQ(expr, want)                                                                     \
    do {                                                                                           \
        if (!CHECK_EQ(expr, want))                                                                 \
            return;                                                                                \
    } while (0)

/* Skip the test in a domain too small for so many threads of THREAD_STACK_ORDER. */
#define REQUIRE_THREADS(count)                                                                     \
    do {                                                                                           \
        if (!test_has_room(count))                                                                 \
            return;                                                                                \
    } while (0)
bool test_has_room(unsigned int threads);

/* For what comes in no time on an idle host. */
#define TEST_PATIENCE_NS (30 * NS_PER_S)
/* Wait, at most that long, until *counter is at least `want`; what it is then. */
unsigned int test_await(const unsigned int *counter, unsigned int want);
/* Our own domain number; asks xenstore once. */
domid_t test_domid(void);
/* Sleep for this long. */
static inline void test_sleep_ms(unsigned int ms)
{
    thread_sleep_until(time_after_ns(ms * NS_PER_MS));
}
