/* SPDX-License-Identifier: MIT
 *
 * Log lines to sinks: lib/log.c itself, so that a test can go back to before the first sink.
 */
#include <pthread.h>
#include <stdlib.h>
#include "lib/log.c"
#include "tests/host/test.h"

struct sink_text {
    struct log_sink sink;
    char text[1 << 18];
    size_t len;
    unsigned int writes;
    bool was_masked; /* at each write so far */
    bool was_locked;
};

static struct sink_text first, second;

static void keep(struct log_sink *sink, const char *text, size_t len)
{
    struct sink_text *kept = container_of(sink, struct sink_text, sink);

    if (kept->len + len >= sizeof(kept->text))
        abort();
    memcpy(kept->text + kept->len, text, len);
    kept->len += len;
    kept->text[kept->len] = '\0';
    kept->was_masked = (kept->was_masked || kept->writes == 0) && !upcalls_enabled();
    kept->was_locked = (kept->was_locked || kept->writes == 0) && load_once(&lock.held);
    kept->writes++;
}

static void start_without_sinks(void)
{
    sinks = NULL;
    early_len = 0;
    first.sink.write = second.sink.write = keep;
    upcalls_enable();
}

static uint64_t clock_fixed(void)
{
    return 12 * NS_PER_S + 345678 * NS_PER_US + 999;
}

TEST(early_lines_are_kept_and_handed_over)
{
    start_without_sinks();
    log_error("one %d", 1);
    log_warn("two");
    log_add_sink(&first.sink);
    CHECK_STR(first.text, "[    boot    ] error: one 1\n[    boot    ] warning: two\n");
    first.len = 0;
    log_warn("three");
    CHECK_STR(first.text, "[    boot    ] warning: three\n");
    CHECK_EQ(first.writes, 2);
    CHECK(upcalls_enabled());
}

TEST(early_lines_go_to_later_sinks_too)
{
    start_without_sinks();
    log_error("early");
    log_add_sink(&first.sink);
    log_error("late");
    log_add_sink(&second.sink);
    log_error("last");
    CHECK_STR(first.text, "[    boot    ] error: early\n[    boot    ] error: late\n"
                          "[    boot    ] error: last\n");
    CHECK_STR(second.text, "[    boot    ] error: early\n[    boot    ] error: last\n");
}

TEST(early_lines_that_do_not_fit_are_left_out_whole)
{
    unsigned int lines = 0;

    start_without_sinks();
    for (unsigned int i = 0; i < 200; i++)
        log_error("early line %03u", i);
    log_add_sink(&first.sink);
    CHECK_LE(first.len, EARLY_MAX);
    CHECK_GT(first.len, EARLY_MAX - 64);
    CHECK_EQ(first.text[first.len - 1], '\n');
    for (const char *at = first.text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    CHECK_EQ(lines, EARLY_MAX / strlen("[    boot    ] error: early line 000\n"));
}

TEST(levels_above_the_limit_are_dropped)
{
    static const char *const words[] = { "an error", "a warning", "some info", "debugging" };

    CHECK_EQ(log_level, LOG_WARN);
    for (int limit = LOG_ERROR; limit <= LOG_DEBUG; limit++) {
        start_without_sinks();
        first.len = first.writes = 0;
        first.text[0] = '\0';
        log_level = (enum log_level)limit;
        log_add_sink(&first.sink);
        log_error("%s", words[0]);
        log_warn("%s", words[1]);
        log_info("%s", words[2]);
        log_debug("%s", words[3]);
        for (int level = LOG_ERROR; level <= LOG_DEBUG; level++)
            CHECK_EQ(strstr(first.text, words[level]) != NULL, level <= limit);
    }
}

TEST(time_stamps_come_from_the_clock)
{
    start_without_sinks();
    log_add_sink(&first.sink);
    log_set_clock(clock_fixed);
    log_error("at last");
    CHECK_STR(first.text, "[   12.345678] error: at last\n");
}

TEST(lines_are_cut_at_255_bytes)
{
    char text[600];

    start_without_sinks();
    log_add_sink(&first.sink);
    memset(text, 'x', sizeof(text));
    for (size_t len = 0; len < sizeof(text); len++) {
        const size_t before = strlen("[    boot    ] error: ");

        first.len = 0;
        log_error("%.*s", (int)len, text);
        CHECK_EQ(first.len, MIN(before + len + 1, 255));
        CHECK_EQ(first.text[first.len - 1], '\n');
        CHECK_EQ(strcspn(first.text, "\n"), first.len - 1);
        CHECK_EQ(strspn(first.text + before, "x"), MIN(len, 254 - before));
    }
}

TEST(sinks_are_called_masked_and_alone)
{
    start_without_sinks();
    log_add_sink(&first.sink);
    log_error("a line");
    CHECK(first.was_masked);
    CHECK(first.was_locked);
    CHECK(upcalls_enabled());
    upcalls_disable();
    log_error("another");
    CHECK(!upcalls_enabled()); /* as it was */
}

TEST(emergency_needs_no_lock)
{
    start_without_sinks();
    log_add_sink(&first.sink);
    CHECK(!log_in_emergency());
    spin_lock(&lock); /* the holder is broken */
    log_emergency();
    CHECK(log_in_emergency());
    log_error("last words");
    CHECK_STR(first.text, "[    boot    ] error: last words\n");
    CHECK(load_once(&lock.held)); /* not released for somebody else */
}

static void *chatter(void *arg)
{
    unsigned long vcpu = (unsigned long)arg;

    fake_cpu_adopt((unsigned int)vcpu);
    for (unsigned int i = 0; i < 1000; i++)
        log_error("<%lu%lu%lu%lu>", vcpu, vcpu, vcpu, vcpu);
    return NULL;
}

TEST(lines_of_several_vcpus_do_not_mix)
{
    pthread_t threads[3];
    unsigned int lines = 0;

    start_without_sinks();
    log_add_sink(&first.sink);
    for (unsigned long i = 0; i < ARRAY_SIZE(threads); i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, chatter, (void *)(i + 1)), 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
    for (const char *at = first.text; *at; at = strchr(at, '\n') + 1) {
        char line[64];

        sprintf(line, "[    boot    ] error: <%.1s%.1s%.1s%.1s>\n", at + 23, at + 23, at + 23,
                at + 23);
        CHECK_EQ(strncmp(at, line, strlen(line)), 0);
        lines++;
    }
    CHECK_EQ(lines, 3000);
}
