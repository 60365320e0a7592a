/* SPDX-License-Identifier: MIT
 *
 * The xenstore client: requests of every kind, long ones, many at once, transactions.
 */
#include <stdlib.h>
#include "kernel/thread.h"
#include "tests/host/xenstore_client.h"

TEST(init_of_fresh_ring_asks_nothing)
{
    connect_at(0);
    for (unsigned int type = 0; type < XS_TYPE_COUNT; type++)
        CHECK_EQ(fake_xenstored.requests[type], 0);
}

TEST(init_of_used_ring_reconnects)
{
    connect_at(4711);
    CHECK_EQ(fake_xenstored.ring->connection, XENSTORE_CONNECTED);
    fake_xenstored_set("name", "b");
    check_read("name", "b");
    CHECK_EQ(fake_xenstored.requests[XS_RESET_WATCHES], 0);
}

TEST(init_of_used_ring_resets_watches)
{
    static const char stale[] = "memory/target\0"
                                "1";

    fake_xenstored_start(4711);
    fake_xenstored_set("control/platform-feature-xs_reset_watches", "1");
    fake_xenstored_send(XS_READ, 99, 0, "late", 4); /* to the kernel before us */
    fake_xenstored_send(XS_WATCH_EVENT, 0, 0, stale, sizeof(stale));
    fake_xenstored_connect();
    CHECK_EQ(fake_xenstored.requests[XS_RESET_WATCHES], 1);
    fake_xenstored_send(XS_READ, 98, 0, "later still", 11);
    fake_xenstored_set("name", "b");
    check_read("name", "b");
}

TEST(requests_of_every_type)
{
    static const char *const perms[] = { "b7", "r0" };
    char *text;
    unsigned int count;
    bool introduced;
    uint64_t number;

    connect_at(0);
    CHECK_EQ(xenstore_write(XBT_NIL, "data/a", "1", 1), 0);
    CHECK_STR(fake_xenstored_get("/local/domain/7/data/a"), "1");
    CHECK_EQ(xenstore_mkdir(XBT_NIL, "data/d"), 0);
    CHECK_EQ(xenstore_printf(XBT_NIL, "data/b", "%d:%s", -5, "x"), 0);
    check_read("data/b", "-5:x");
    check_read("data/d", "");
    CHECK_EQ(xenstore_directory(XBT_NIL, "data", &text, &count), 0);
    CHECK_EQ(count, 3);
    CHECK_MEM(text, "a\0d\0b", 6);
    kmem_free(text);
    CHECK_EQ(xenstore_rm(XBT_NIL, "data/d"), 0);
    CHECK_EQ(xenstore_rm(XBT_NIL, "data/d"), -XEN_ENOENT);
    CHECK_EQ(xenstore_set_perms(XBT_NIL, "data/a", perms, 2), 0);
    CHECK_EQ(xenstore_get_perms(XBT_NIL, "data/a", &text, &count), 0);
    CHECK_STR(text, "b7");
    kmem_free(text);
    CHECK_EQ(xenstore_domain_path(3, &text), 0);
    CHECK_STR(text, "/local/domain/3");
    kmem_free(text);
    CHECK_EQ(xenstore_is_domain_introduced(0, &introduced), 0);
    CHECK(introduced);
    CHECK_EQ(xenstore_is_domain_introduced(9, &introduced), 0);
    CHECK(!introduced);
    CHECK_EQ(xenstore_read_unsigned(XBT_NIL, "data/a", 10, &number), 0);
    CHECK_EQ(number, 1);
    CHECK_EQ(xenstore_read(XBT_NIL, "no/such", &text, NULL), -XEN_ENOENT);
    CHECK_NO_LEAK();
}

TEST(numbers_out_of_bounds)
{
    static const char *const bad[] = {
        "", "-1", "1x", " 1", "0x1", "256", "99999999999999999999999"
    };
    uint64_t number = 77;

    connect_at(0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        fake_xenstored_set("n", bad[i]);
        CHECK_EQ(xenstore_read_unsigned(XBT_NIL, "n", 255, &number), -XEN_EINVAL);
    }
    CHECK_EQ(number, 77);
    fake_xenstored_set("n", "18446744073709551615");
    CHECK_EQ(xenstore_read_unsigned(XBT_NIL, "n", UINT64_MAX, &number), 0);
    CHECK_EQ(number, UINT64_MAX);
    fake_xenstored_set("n", "18446744073709551616");
    CHECK_EQ(xenstore_read_unsigned(XBT_NIL, "n", UINT64_MAX, &number), -XEN_EINVAL);
    fake_xenstored_set("n", "255");
    CHECK_EQ(xenstore_read_unsigned(XBT_NIL, "n", 255, &number), 0);
}

/* The longest messages both ways, through a ring a quarter of their size, wrapping. */
static void exchange_long(void)
{
    char *value = malloc(XENSTORE_PAYLOAD_MAX), *back;
    size_t len = XENSTORE_PAYLOAD_MAX - sizeof("long"), got;

    for (size_t i = 0; i < len; i++)
        value[i] = 'a' + i % 26;
    CHECK_EQ(xenstore_write(XBT_NIL, "long", value, len), 0);
    CHECK_EQ(xenstore_read(XBT_NIL, "long", &back, &got), 0);
    CHECK_EQ(got, len);
    CHECK_MEM(back, value, len);
    kmem_free(back);
    CHECK_EQ(xenstore_write(XBT_NIL, "long", value, len + 1), -XEN_E2BIG);
    free(value);
}

TEST(messages_longer_than_the_ring)
{
    connect_at(NEAR_WRAP);
    exchange_long();
    CHECK_NO_LEAK();
}

TEST(messages_in_pieces)
{
    connect_at(NEAR_WRAP);
    for (fake_xenstored.chunk = 1; fake_xenstored.chunk < 20; fake_xenstored.chunk += 6) {
        fake_xenstored_set("name", "domain");
        check_read("name", "domain");
    }
    fake_xenstored.chunk = 101;
    exchange_long();
}

TEST(reply_when_memory_is_out)
{
    char *value;

    connect_at(0);
    fake_xenstored_set("long",
                       "0123456789012345678901234567890123456789012345678901234567890123456789"
                       "0123456789012345678901234567890123456789012345678901234567890123456789");
    fake_xenstored_set("name", "x");
    fake_alloc_fail_after(0);
    CHECK_EQ(xenstore_read(XBT_NIL, "long", &value, NULL), -XEN_ENOMEM);
    CHECK_EQ(xenstore_read(XBT_NIL, "name", &value, NULL), -XEN_ENOMEM);
    fake_alloc_fail_after(-1);
    check_read("name", "x"); /* in step: the long payload was thrown away */
    CHECK_NO_LEAK();
}

TEST(path_too_long)
{
    char *path = malloc(XENSTORE_ABS_PATH_MAX + 2), *value;

    connect_at(0);
    memset(path, 'a', XENSTORE_ABS_PATH_MAX + 1);
    path[XENSTORE_ABS_PATH_MAX + 1] = 0;
    CHECK_EQ(xenstore_read(XBT_NIL, path, &value, NULL), -XEN_E2BIG);
    path[XENSTORE_ABS_PATH_MAX] = 0;
    CHECK_EQ(xenstore_read(XBT_NIL, path, &value, NULL), -XEN_ENOENT);
    free(path);
}

/* --- many at once --- */

static void ask_often(void *arg)
{
    unsigned int who = (uintptr_t)arg;
    char path[20], text[200];

    for (unsigned int i = 0; i < 60; i++) {
        snprintf(path, sizeof(path), "t%u", who);
        snprintf(text, sizeof(text), "%u.%0*u", who, (i % 7) * 25 + 1, i);
        CHECK_EQ(xenstore_write(XBT_NIL, path, text, strlen(text)), 0);
        check_read(path, text);
    }
}

static void ask_at_once(unsigned int count)
{
    struct thread *threads[32];

    for (uintptr_t i = 0; i < count; i++)
        CHECK_EQ(thread_create(&threads[i], "ask", 0, PRIORITY_NORMAL, ask_often, (void *)i), 0);
    for (unsigned int i = 0; i < count; i++)
        CHECK_EQ(thread_join(threads[i], TIME_NEVER), 0);
    CHECK_NO_LEAK();
    CHECK_EQ(fake_logged("closed"), 0);
}

TEST(callers_at_once)
{
    connect_at(NEAR_WRAP);
    ask_at_once(24);
}

TEST(callers_at_once_replies_reversed)
{
    connect_at(NEAR_WRAP);
    fake_xenstored.reverse = true;
    ask_at_once(8);
}

TEST(callers_at_once_in_pieces)
{
    connect_at(NEAR_WRAP);
    fake_xenstored.chunk = 50;
    ask_at_once(4);
}

/* --- transactions --- */

static unsigned int bodies;

static int count_body(xenstore_tx_t tx, void *arg)
{
    bodies++;
    return xenstore_write(tx, "counter", arg, strlen(arg));
}

static int failing_body(xenstore_tx_t tx, void *arg)
{
    count_body(tx, arg);
    return -XEN_EBUSY;
}

TEST(transaction_conflicts_a_few_times)
{
    connect_at(0);
    fake_xenstored.conflicts = 3;
    CHECK_EQ(xenstore_transaction(count_body, "5"), 0);
    CHECK_EQ(bodies, 4);
    CHECK_STR(fake_xenstored_get("counter"), "5");
    CHECK_EQ(fake_xenstored.open_transactions, 0);
}

TEST(transaction_conflicts_for_ever)
{
    connect_at(0);
    fake_xenstored.conflicts = 1000000;
    CHECK_EQ(xenstore_transaction(count_body, "5"), -XEN_EAGAIN);
    CHECK_LE(bodies, 100);
    CHECK(fake_xenstored_get("counter") == NULL);
    CHECK_EQ(fake_xenstored.open_transactions, 0);
}

TEST(transaction_aborted_by_body)
{
    connect_at(0);
    CHECK_EQ(xenstore_transaction(failing_body, "5"), -XEN_EBUSY);
    CHECK_EQ(bodies, 1);
    CHECK(fake_xenstored_get("counter") == NULL);
    CHECK_EQ(fake_xenstored.open_transactions, 0);
}
