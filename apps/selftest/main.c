/* SPDX-License-Identifier: MIT
 *
 * Tests of every subsystem from inside the domain, with TAP output: `1..N`, one `ok` or `not ok`
 * line each, and at the end `N passed, N failed`.  `selftest PATTERN...` runs the tests whose name
 * contains one of the patterns, `selftest list` lists them.  Exit code 1 when a test failed.
 */
#include <stdio.h>
#include <string.h>
#include "lib/atomic.h"
#include "lib/panic.h"
#include "mm/page.h"
#include "selftest.h"

/* Longer than any test takes under emulation. */
#define TEST_LIMIT_NS (120 * NS_PER_S)

static struct test *tests, **tests_end = &tests;
static struct test *last_tests, **last_tests_end = &last_tests;

static struct test *running;
static uint64_t running_since_ns;
static unsigned int failures; /* of the running test */
static const char *skipped;

void test_register(struct test *test)
{
    struct test ***end = test->last ? &last_tests_end : &tests_end;

    **end = test;
    *end = &test->next;
}

bool test_failed(const char *file, int line, const char *what, long long got, long long want)
{
    if (atomic_fetch_add(&failures, 1) < 10)
        printf("# %s:%d: %s: %lld, not %lld\n", file, line, what, got, want);
    return false;
}

void test_skip(const char *why)
{
    skipped = why;
}

bool test_has_room(unsigned int threads)
{
    struct page_stats stats;

    page_get_stats(&stats);
    if (stats.free >= (threads + 1UL) << THREAD_STACK_ORDER)
        return true;
    test_skip("too little memory left");
    return false;
}

unsigned int test_await(const unsigned int *counter, unsigned int want)
{
    uint64_t deadline_ns = time_after_ns(TEST_PATIENCE_NS);

    while (load_acquire(counter) < want && time_now_ns() < deadline_ns)
        test_sleep_ms(1);
    return load_acquire(counter);
}

domid_t test_domid(void)
{
    static uint64_t domid = DOMID_INVALID;

    if (domid == DOMID_INVALID)
        CHECK_EQ(xenstore_read_unsigned(XBT_NIL, "domid", DOMID_FIRST_RESERVED, &domid), 0);
    return (domid_t)domid;
}

/* A test that hangs shall be seen as that one, with what every thread is doing. */
static void watchdog(void *unused)
{
    (void)unused;
    for (;;) {
        struct test *test;

        thread_sleep_until(time_after_ns(NS_PER_S));
        test = load_acquire(&running);
        if (test && time_now_ns() - load_once(&running_since_ns) > TEST_LIMIT_NS)
            panic("test %s hangs", test->name);
    }
}

static bool wanted(const struct test *test, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strstr(test->name, argv[i]))
            return true;
    }
    return argc == 1;
}

/* True: it passed. */
static bool run(struct test *test, unsigned int number)
{
    store_once(&failures, 0);
    skipped = NULL;
    store_once(&running_since_ns, time_now_ns());
    store_release(&running, test); /* pairs with watchdog() */
    test->fn();
    store_release(&running, NULL);
    printf("%s %u - %s%s%s\n", failures ? "not ok" : "ok", number, test->name,
           skipped ? " # SKIP " : "", skipped ? skipped : "");
    return failures == 0;
}

int main(int argc, char **argv)
{
    unsigned int count = 0, passed = 0, number = 0;
    struct thread *thread;

    *tests_end = last_tests; /* one list from here on */
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        for (struct test *test = tests; test; test = test->next)
            printf("%s\n", test->name);
        return 0;
    }
    for (struct test *test = tests; test; test = test->next)
        count += wanted(test, argc, argv);
    printf("1..%u\n", count);
    if (thread_create(&thread, "watchdog", THREAD_STACK_ORDER, PRIORITY_HIGH, watchdog, NULL))
        printf("# no watchdog: out of memory\n");
    else
        thread_detach(thread);
    for (struct test *test = tests; test; test = test->next) {
        if (wanted(test, argc, argv))
            passed += run(test, ++number);
    }
    printf("%u passed, %u failed\n", passed, count - passed);
    return count == 0 || passed != count;
}
