/* SPDX-License-Identifier: MIT
 *
 * Console output: order, back-pressure, loss that is counted, a daemon that breaks the ring.
 */
#include <stdlib.h>
#include "arch/irq.h"
#include "console/console.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/log.h"
#include "tests/host/fake_xenconsoled.h"
#include "tests/host/test.h"

#define NEAR_WRAP 0xffffff00u

static void start(uint32_t index)
{
    fake_xenconsoled_start(index);
    CHECK_EQ(console_init(), 0);
}

static bool output_is(const char *want)
{
    return strcmp(fake_xenconsoled_output(NULL), want) == 0;
}

static bool output_has(const char *want)
{
    return strstr(fake_xenconsoled_output(NULL), want) != NULL;
}

static void write_text(const char *text)
{
    console_write(text, strlen(text));
}

TEST(output_before_events)
{
    fake_xenconsoled_start(0);
    write_text("one\n");
    log_error("two");
    CHECK_SOON(output_has("one\r\n") && output_has("two\r\n"));
}

TEST(early_lines_come_first)
{
    log_error("before the ring");
    start(NEAR_WRAP);
    write_text("after\n");
    CHECK_SOON(output_has("after\r\n"));
    CHECK_LT(strstr(fake_xenconsoled_output(NULL), "before"),
             strstr(fake_xenconsoled_output(NULL), "after"));
}

TEST(newlines)
{
    start(0);
    write_text("a\nb\r\nc\r");
    write_text("\nd\n\n");
    CHECK_SOON(output_is("a\r\nb\r\nc\r\nd\r\n\r\n"));
    console_set_mode(CONSOLE_RAW);
    write_text("e\n");
    CHECK_SOON(output_is("a\r\nb\r\nc\r\nd\r\n\r\ne\n"));
}

/* A megabyte of numbered lines. */
static void check_megabyte(size_t piece)
{
    size_t len = 1 << 20, got = 0;
    char *text = malloc(len), *want = malloc(2 * len);
    size_t want_len = 0;

    for (size_t i = 0; i < len; i++) {
        text[i] = i % 64 == 63 ? '\n' : "0123456789abcdef"[i >> (i % 6) * 4 & 15];
        if (text[i] == '\n')
            want[want_len++] = '\r';
        want[want_len++] = text[i];
    }
    for (size_t i = 0; i < len; i += piece)
        console_write(text + i, MIN(piece, len - i));
    CHECK_EQ(console_drain(time_after_ns(20 * NS_PER_S)), 0);
    CHECK_SOON((fake_xenconsoled_output(&got), got == want_len));
    CHECK_EQ(got, want_len);
    CHECK_MEM(fake_xenconsoled_output(NULL), want, MIN(want_len, got));
    free(text);
    free(want);
}

TEST(megabyte_in_lines)
{
    start(NEAR_WRAP);
    check_megabyte(64);
}

TEST(megabyte_at_once)
{
    start(NEAR_WRAP);
    check_megabyte(1 << 20);
}

TEST(megabyte_to_throttling_daemon)
{
    uint64_t since;

    start(0);
    fake_xenconsoled.throttle = true;
    since = time_now_ns();
    check_megabyte(100);
    /* 30 rings of 2 KiB in 200 ms is the best there is: 3.6 s; a ring per event half used would
     * be 7. */
    CHECK_LT(time_now_ns() - since, 20 * NS_PER_S);
}

TEST(slow_daemon_loses_nothing)
{
    struct console_stats stats;

    start(0);
    fake_xenconsoled.pause_ms = 30;
    fake_xenconsoled.gulp = 700;
    for (unsigned int i = 0; i < 400; i++)
        write_text("0123456789 0123456789 0123456789 0123456789\n");
    CHECK_EQ(console_drain(time_after_ns(10 * NS_PER_S)), 0);
    console_get_stats(&stats);
    CHECK_EQ(stats.dropped, 0);
    CHECK_EQ(stats.bytes_out, 400 * 44);
    CHECK_SOON(strlen(fake_xenconsoled_output(NULL)) == 400 * 45);
}

TEST(small_writes_are_spaced)
{
    uint64_t since;

    start(0);
    since = time_now_ns();
    while (time_now_ns() - since < 400 * NS_PER_MS) {
        write_text("x");
        fake_pause_ms(1);
    }
    /* 12 at once, then 80 a second. */
    CHECK_LE(fake_port_sent(fake_xenconsoled.port),
             12 + (time_now_ns() - since) / (12 * NS_PER_MS));
}

/* Nothing but a timer will tell the daemon of the last text. */
TEST(spaced_text_is_not_left_lying)
{
    unsigned int sent;
    bool held_back = false;

    start(0);
    for (unsigned int i = 0; i < 10000 && !held_back; i++) {
        CHECK_SOON(fake_xenconsoled.ring->out_cons == fake_xenconsoled.ring->out_prod);
        sent = fake_port_sent(fake_xenconsoled.port);
        write_text("x");
        held_back = fake_port_sent(fake_xenconsoled.port) == sent;
    }
    CHECK(held_back);
    CHECK_SOON(fake_xenconsoled.ring->out_cons == fake_xenconsoled.ring->out_prod);
}

static char *big_text(size_t len)
{
    char *text = malloc(len);

    memset(text, 'd', len);
    return text;
}

TEST(silent_daemon_then_notice)
{
    char *text = big_text(5000);
    struct console_stats stats;
    uint64_t since;

    start(0);
    fake_xenconsoled.silent = true;
    since = time_now_ns();
    console_write(text, 5000); /* waits a second in vain */
    CHECK_GE(time_now_ns() - since, CONSOLE_WAIT_NS);
    since = time_now_ns();
    console_write(text, 1000); /* does not wait again */
    CHECK_LT(time_now_ns() - since, CONSOLE_WAIT_NS / 2);
    console_get_stats(&stats);
    CHECK_EQ(stats.dropped, 6000 - 2048);
    CHECK_EQ(stats.bytes_out, 2048);

    fake_xenconsoled.silent = false;
    fake_xenconsoled_kick();
    CHECK_SOON(output_has("\r\n[console: 3952 bytes dropped]\r\n"));
    write_text("and on\n");
    CHECK_SOON(output_has("dropped]\r\nand on\r\n"));
    CHECK_EQ(strlen(fake_xenconsoled_output(NULL)),
             2048 + strlen("\r\n[console: 3952 bytes dropped]\r\nand on\r\n"));
    console_get_stats(&stats);
    CHECK_EQ(stats.dropped, 3952);
    free(text);
}

TEST(log_never_waits)
{
    struct console_stats stats;
    uint64_t since;
    unsigned int count = 0;
    char line[40];

    log_level = LOG_INFO;
    start(0);
    fake_xenconsoled.silent = true;
    upcalls_disable();
    since = time_now_ns();
    for (unsigned int i = 0; i < 400; i++)
        log_info("line %03u of a log that is longer than ring and backlog", i);
    CHECK_LT(time_now_ns() - since, CONSOLE_WAIT_NS);
    upcalls_enable();
    console_get_stats(&stats);
    CHECK_GT(stats.dropped, 0);

    fake_xenconsoled.silent = false;
    fake_xenconsoled_kick();
    CHECK_EQ(console_drain(time_after_ns(5 * NS_PER_S)), 0);
    CHECK_SOON(output_has("bytes dropped]"));
    for (unsigned int i = 0; i < 400; i++) {
        snprintf(line, sizeof(line), "line %03u of", i);
        if (!output_has(line))
            break;
        count++;
    }
    CHECK_GE(count, 10000 / 80); /* ring and backlog together hold that many */
    snprintf(line, sizeof(line), "line %03u of", count + 1);
    CHECK(!output_has(line)); /* what is lost is the end, not something in the middle */
}

static void write_lines(void *arg)
{
    char line[64];

    for (unsigned int i = 0; i < 300; i++) {
        snprintf(line, sizeof(line), "<%u:%03u>0123456789012345678901234567890\n",
                 (unsigned int)(uintptr_t)arg, i);
        write_text(line);
    }
}

TEST(writers_do_not_mix)
{
    struct thread *threads[6];
    unsigned int next[6] = { 0 }, lines = 0;

    start(0);
    fake_xenconsoled.gulp = 501;
    for (uintptr_t i = 0; i < 6; i++)
        CHECK_EQ(thread_create(&threads[i], "w", 0, PRIORITY_NORMAL, write_lines, (void *)i), 0);
    for (unsigned int i = 0; i < 6; i++)
        CHECK_EQ(thread_join(threads[i], TIME_NEVER), 0);
    CHECK_EQ(console_drain(time_after_ns(10 * NS_PER_S)), 0);
    CHECK_SOON(strlen(fake_xenconsoled_output(NULL)) == 6 * 300 * 40);
    for (const char *at = fake_xenconsoled_output(NULL); *at; at += 40) {
        unsigned int who = at[1] - '0';

        CHECK(at[0] == '<' && who < 6 && memcmp(at + 38, "\r\n", 2) == 0);
        if (who >= 6)
            break;
        CHECK_EQ(atoi(at + 3), next[who]);
        next[who]++;
        lines++;
    }
    CHECK_EQ(lines, 1800);
}

TEST(drain_times_out)
{
    start(0);
    fake_xenconsoled.silent = true;
    write_text("x");
    CHECK_EQ(console_drain(time_after_ns(NS_PER_S / 10)), -XEN_ETIMEDOUT);
    fake_xenconsoled.silent = false;
    CHECK_EQ(console_drain(time_after_ns(5 * NS_PER_S)), 0); /* tells the daemon once more */
    CHECK(output_is("x"));
}

/* --- a ring that is broken --- */

static void check_broken(uint32_t out_cons)
{
    char *text = big_text(5000);
    uint64_t since;

    start(100);
    fake_xenconsoled.silent = true;
    write_text("0123456789");
    fake_xenconsoled.ring->out_cons = out_cons;
    since = time_now_ns();
    write_text("x");
    console_write(text, 5000);
    log_error("still here");
    CHECK_EQ(console_drain(time_after_ns(NS_PER_S)), 0);
    CHECK_LT(time_now_ns() - since, CONSOLE_WAIT_NS / 2);
    CHECK_EQ(fake_logged("output closed: out_cons is"), 1);
    log_emergency();
    log_error("last words");
    CHECK_LT(time_now_ns() - since, CONSOLE_WAIT_NS / 2);
    CHECK(memmem(fake_xenconsoled.ring->out, sizeof(fake_xenconsoled.ring->out), "last words",
                 10) != NULL);
    free(text);
}

TEST(out_cons_ahead)
{
    check_broken(111);
}

TEST(out_cons_behind)
{
    check_broken(99);
}

TEST(out_cons_far_off)
{
    check_broken(0x80000000);
}

TEST(panic_with_full_ring)
{
    char *text = big_text(20000);

    start(0);
    fake_xenconsoled.silent = true;
    upcalls_disable();
    console_write(text, 20000); /* fills ring and backlog, and is lost in part */
    fake_xenconsoled.silent = false;
    log_emergency(); /* upcalls stay masked, as in a panic: it takes no locks */
    log_error("last words");
    /* It has waited for the daemon to take all of it. */
    CHECK(output_has("bytes dropped]\r\n[    boot    ] error: last words\r\n"));
    upcalls_enable();
    free(text);
}

TEST(panic_with_silent_daemon)
{
    char *text = big_text(10000);
    uint64_t since;

    start(0);
    fake_xenconsoled.silent = true;
    upcalls_disable();
    console_write(text, 10000);
    since = time_now_ns();
    log_emergency();
    for (unsigned int i = 0; i < 30; i++)
        log_error("last words");
    CHECK_LT(time_now_ns() - since, 2 * CONSOLE_WAIT_NS);
    upcalls_enable();
    free(text);
}
