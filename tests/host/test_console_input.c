/* SPDX-License-Identifier: MIT
 *
 * Console input: line editing, raw bytes, flow control, a daemon that breaks the ring.
 */
#include <stdlib.h>
#include "console/console.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "tests/host/fake_xenconsoled.h"
#include "tests/host/test.h"

#define NEAR_WRAP 0xffffff00u

static void start(enum console_mode mode)
{
    fake_xenconsoled_start(NEAR_WRAP);
    CHECK_EQ(console_init(), 0);
    console_set_mode(mode);
}

static void type(const char *text)
{
    CHECK_EQ(fake_xenconsoled_type(text, strlen(text), 2000), strlen(text));
}

static uint64_t soon(void)
{
    return time_after_ns(5 * NS_PER_S);
}

/* What the next read gives. */
static void check_read(const char *want)
{
    char got[256] = "";
    long len = console_read(got, sizeof(got) - 1, soon());

    CHECK_EQ(len, strlen(want));
    got[MAX(len, 0)] = 0;
    CHECK_STR(got, want);
}

static void check_echo(const char *want)
{
    CHECK_SOON(strcmp(fake_xenconsoled_output(NULL), want) == 0);
    CHECK_STR(fake_xenconsoled_output(NULL), want);
}

TEST(lines_one_by_one)
{
    start(CONSOLE_LINE);
    type("first\rsecond\nthird\r\nrest");
    check_read("first\n");
    check_read("second\n");
    check_read("third\n");
    CHECK_EQ(console_readable(), 0);
    type("\r");
    check_read("rest\n");
    check_echo("first\r\nsecond\r\nthird\r\nrest\r\n");
}

TEST(no_line_no_read)
{
    char c;

    start(CONSOLE_LINE);
    type("half");
    CHECK_EQ(console_read(&c, 1, time_after_ns(NS_PER_S / 50)), -XEN_ETIMEDOUT);
    check_echo("half");
    type("\r");
    CHECK_SOON(console_readable() == 5);
    for (const char *want = "half\n"; *want; want++) {
        CHECK_EQ(console_read(&c, 1, soon()), 1);
        CHECK_EQ(c, *want);
    }
}

TEST(erase_and_kill)
{
    start(CONSOLE_LINE);
    type("abd\bc\x7f\x7f\x7f\x7f\x7fxy\r");
    check_read("xy\n");
    type("all wrong\x15right\r");
    check_read("right\n");
    check_echo("abd\b \bc\b \b\b \b\b \bxy\r\n"
               "all wrong\b \b\b \b\b \b\b \b\b \b\b \b\b \b\b \b\b \bright\r\n");
}

TEST(erase_stops_at_the_line)
{
    start(CONSOLE_LINE);
    type("done\r\x7f\x15\bx\r");
    check_read("done\n");
    check_read("x\n");
}

TEST(erase_takes_whole_characters)
{
    start(CONSOLE_LINE);
    type("a\xc3\xa4\xe2\x82\xac\x7f\x7f"
         "b\r"); /* "aä€", two erased */
    check_read("ab\n");
    type("\x03\x7f.\r");
    check_read(".\n");
    check_echo("a\xc3\xa4\xe2\x82\xac\b \b\b \bb\r\n^C\b\b  \b\b.\r\n");
}

TEST(end_of_input)
{
    start(CONSOLE_LINE);
    type("last\x04");
    check_read("last"); /* gives out what is there */
    type("\x04");
    check_read(""); /* nothing is there: the end */
    type("more\r");
    check_read("more\n"); /* as on a terminal, one may go on */
    type("x\r\x04y\r");
    check_read("x\n");
    check_read("");
    check_read("y\n");
}

TEST(raw_bytes)
{
    start(CONSOLE_RAW);
    type("a\r\n\x7f\x15\x04z");
    CHECK_SOON(console_readable() == 7);
    check_read("a\r\n\x7f\x15\x04z");
    check_echo("");
}

TEST(mode_change_keeps_input)
{
    start(CONSOLE_LINE);
    type("half");
    CHECK_SOON(strcmp(fake_xenconsoled_output(NULL), "half") == 0);
    console_set_mode(CONSOLE_RAW);
    check_read("half");
    type("\x04");
    check_read("\x04");
}

/* Far more than buffer and ring hold, with nobody reading: it waits outside, and none of it is
 * lost. */
static void type_much(void *arg)
{
    CHECK_EQ(fake_xenconsoled_type(arg, strlen(arg), 20000), strlen(arg));
}

TEST(flood_waits_in_the_ring)
{
    size_t len = 20000, done = 0;
    char *text = malloc(len + 1), *got = malloc(len);
    struct thread *typist;
    struct console_stats stats;

    for (size_t i = 0; i < len; i++)
        text[i] = 'a' + i * i % 23;
    text[len] = 0;
    start(CONSOLE_RAW);
    CHECK_EQ(thread_create(&typist, "typist", 0, PRIORITY_NORMAL, type_much, text), 0);
    CHECK_SOON(console_readable() == 4096);
    fake_pause_ms(20);
    CHECK_EQ(fake_xenconsoled.ring->in_prod - fake_xenconsoled.ring->in_cons, 1024);
    while (done < len) {
        long rc = console_read(got + done, MIN(len - done, 333), soon());

        CHECK_GT(rc, 0);
        if (rc <= 0)
            break;
        done += rc;
    }
    CHECK_EQ(done, len);
    CHECK_MEM(got, text, done);
    CHECK_EQ(thread_join(typist, soon()), 0);
    console_get_stats(&stats);
    CHECK_EQ(stats.bytes_in, len);
    free(text);
    free(got);
}

TEST(line_longer_than_the_buffer)
{
    size_t len = 6000, done = 0;
    char *text = malloc(len + 1), *got = malloc(len + 1);
    struct thread *typist;

    memset(text, 'x', len);
    text[len - 1] = '\r';
    text[len] = 0;
    start(CONSOLE_LINE);
    CHECK_EQ(thread_create(&typist, "typist", 0, PRIORITY_NORMAL, type_much, text), 0);
    while (done < len) {
        long rc = console_read(got + done, len - done, soon());

        CHECK_GT(rc, 0);
        if (rc <= 0)
            break;
        done += rc;
    }
    CHECK_EQ(done, len);
    CHECK_EQ(got[len - 1], '\n');
    CHECK_EQ(thread_join(typist, soon()), 0);
    free(text);
    free(got);
}

TEST(in_prod_out_of_bounds)
{
    char c;

    start(CONSOLE_RAW);
    type("ab");
    CHECK_SOON(console_readable() == 2);
    fake_xenconsoled.ring->in_prod += 1025;
    fake_port_raise(fake_xenconsoled.port);
    CHECK_SOON(fake_logged("input closed: in_prod is") == 1);
    check_read("ab"); /* what came before is good */
    CHECK_EQ(console_read(&c, 1, TIME_NEVER), -XEN_EIO);
    fake_port_raise(fake_xenconsoled.port);
    CHECK_EQ(console_read(&c, 1, TIME_NEVER), -XEN_EIO);
    CHECK_EQ(fake_logged("input closed"), 1);
    console_write("out\n", 4); /* output goes on */
    CHECK_SOON(strstr(fake_xenconsoled_output(NULL), "out\n") != NULL);
}

static void read_one(void *arg)
{
    char line[64] = "";

    CHECK_EQ(console_read(line, sizeof(line), soon()), 2);
    __atomic_fetch_add((int *)arg, line[0], __ATOMIC_SEQ_CST);
}

TEST(readers_at_once)
{
    struct thread *threads[3];
    int sum = 0;

    start(CONSOLE_LINE);
    for (unsigned int i = 0; i < 3; i++)
        CHECK_EQ(thread_create(&threads[i], "r", 0, PRIORITY_NORMAL, read_one, &sum), 0);
    type("a\rb\rc\r");
    for (unsigned int i = 0; i < 3; i++)
        CHECK_EQ(thread_join(threads[i], soon()), 0);
    CHECK_EQ(sum, 'a' + 'b' + 'c');
}
