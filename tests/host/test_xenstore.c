/* SPDX-License-Identifier: MIT
 *
 * The xenstore client against a daemon that is slow, silent, or lies.
 */
#include <stdlib.h>
#include "kernel/thread.h"
#include "kernel/time.h"
#include "mm/kmem.h"
#include "tests/host/fake_xenstored.h"
#include "tests/host/test.h"
#include "xenbus/xenstore.h"

/* Indices that wrap during the test. */
#define NEAR_WRAP 0xfffffe00u

static unsigned long live_at_start;

#define CHECK_NO_LEAK() CHECK_EQ(fake_alloc_live(), live_at_start)

static void connect_at(uint32_t index)
{
    fake_xenstored_start(index);
    if (index) /* or the ring would look used by an earlier kernel: that has a test of its own */
        fake_xenstored.ring->server_features = XENSTORE_SERVER_FEATURE_RECONNECTION;
    fake_xenstored_connect();
    live_at_start = fake_alloc_live();
}

static void check_read(const char *path, const char *want)
{
    char *value = NULL;
    size_t len = 0;

    CHECK_EQ(xenstore_read(XBT_NIL, path, &value, &len), 0);
    CHECK_STR(value, want);
    CHECK_EQ(len, strlen(want));
    kmem_free(value);
}

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

/* --- errors and lies --- */

static const char *error_text;
static size_t error_len;

static bool answer_error(const struct xsd_sockmsg *request, const char *payload)
{
    (void)payload;
    fake_xenstored_send(XS_ERROR, request->req_id, request->tx_id, error_text, error_len);
    return true;
}

static int read_error(const char *text, size_t len)
{
    char *value;

    error_text = text;
    error_len = len;
    return xenstore_read(XBT_NIL, "x", &value, NULL);
}

TEST(error_names)
{
    char huge[2000];

    memset(huge, 'E', sizeof(huge));
    connect_at(0);
    fake_xenstored.hook = answer_error;
    CHECK_EQ(read_error("EACCES", 7), -XEN_EACCES);
    CHECK_EQ(read_error("EACCES", 6), -XEN_EACCES); /* no NUL */
    CHECK_EQ(read_error("E2BIG", 6), -XEN_E2BIG);
    CHECK_EQ(read_error("EISCONN", 8), -XEN_EISCONN);
    CHECK_EQ(read_error("EWOULDNOT", 10), -XEN_EINVAL);
    CHECK_EQ(read_error("", 0), -XEN_EINVAL);
    CHECK_EQ(read_error(huge, sizeof(huge)), -XEN_EINVAL);
    CHECK_EQ(read_error("EPERM", 6), -XEN_EPERM);
    CHECK_NO_LEAK();
}

static struct xsd_sockmsg lie; /* added to the right header */

static bool answer_lie(const struct xsd_sockmsg *request, const char *payload)
{
    (void)payload;
    fake_xenstored_send_raw(&(struct xsd_sockmsg){ .type = request->type + lie.type,
                                                   .req_id = request->req_id + lie.req_id,
                                                   .tx_id = request->tx_id,
                                                   .len = lie.len },
                            sizeof(struct xsd_sockmsg));
    return true;
}

static void check_closed(const char *field, int want)
{
    char *value;

    CHECK_EQ(xenstore_read(XBT_NIL, "x", &value, NULL), want);
    CHECK_EQ(fake_logged("connection closed"), 1);
    CHECK_EQ(fake_logged(field), 1);
    CHECK_EQ(xenstore_read(XBT_NIL, "x", &value, NULL), -XEN_EIO);
    CHECK_EQ(xenstore_write(XBT_NIL, "x", "", 0), -XEN_EIO);
    CHECK_EQ(fake_logged("connection closed"), 1);
}

TEST(reply_too_long)
{
    connect_at(0);
    lie.len = XENSTORE_PAYLOAD_MAX + 1;
    fake_xenstored.hook = answer_lie;
    check_closed("len 4097", -XEN_EIO);
}

TEST(reply_of_wrong_type)
{
    connect_at(0);
    lie.type = 1;
    fake_xenstored.hook = answer_lie;
    check_closed("type 3", -XEN_EPROTO);
}

TEST(reply_to_unknown_request)
{
    connect_at(0);
    lie.req_id = 1;
    fake_xenstored.hook = answer_lie;
    check_closed("req_id", -XEN_EIO);
}

TEST(reply_twice)
{
    char *value;

    connect_at(0);
    fake_xenstored_set("x", "1");
    check_read("x", "1");
    fake_xenstored_send(XS_READ, 16, 0, "2", 1); /* the first request's id again */
    CHECK_SOON(fake_logged("unknown req_id 16") == 1);
    CHECK_EQ(xenstore_read(XBT_NIL, "x", &value, NULL), -XEN_EIO);
}

static uint32_t first_id;

static bool answer_the_first_again(const struct xsd_sockmsg *request, const char *payload)
{
    (void)payload;
    if (!first_id)
        first_id = request->req_id;
    fake_xenstored_send(XS_READ, first_id, 0, "1", 1);
    return true;
}

TEST(reply_twice_in_place_of_the_next)
{
    char *value;

    connect_at(0);
    fake_xenstored.hook = answer_the_first_again;
    check_read("x", "1");
    CHECK_EQ(xenstore_read(XBT_NIL, "y", &value, NULL), -XEN_EIO);
    CHECK_EQ(fake_logged("unknown req_id"), 1);
}

TEST(reply_index_out_of_bounds)
{
    connect_at(0);
    fake_xenstored.silent = true;
    fake_xenstored.ring->rsp_prod = XENSTORE_RING_SIZE + 1;
    fake_port_raise(fake_xenstored.port);
    CHECK_SOON(fake_logged("rsp_prod 1025") == 1);
    check_closed("rsp_prod", -XEN_EIO);
}

TEST(request_index_out_of_bounds)
{
    connect_at(0);
    fake_xenstored.silent = true;
    fake_xenstored.ring->req_cons = 5;
    check_closed("req_cons 5", -XEN_EIO);
}

static const char *nonsense;

static bool answer_nonsense(const struct xsd_sockmsg *request, const char *payload)
{
    (void)payload;
    fake_xenstored_send(request->type, request->req_id, 0, nonsense, strlen(nonsense));
    return true;
}

TEST(transaction_id_nonsense)
{
    xenstore_tx_t tx;

    connect_at(0);
    fake_xenstored.hook = answer_nonsense;
    nonsense = "0";
    CHECK_EQ(xenstore_transaction_start(&tx), -XEN_EPROTO);
    CHECK_EQ(xenstore_transaction_start(&tx), -XEN_EIO);
}

TEST(directory_not_terminated)
{
    unsigned int count;
    char *names;

    connect_at(0);
    fake_xenstored.hook = answer_nonsense;
    nonsense = "abc";
    CHECK_EQ(xenstore_directory(XBT_NIL, "x", &names, &count), -XEN_EPROTO);
    CHECK_EQ(xenstore_directory(XBT_NIL, "x", &names, &count), -XEN_EIO);
    CHECK_NO_LEAK();
}

/* --- time --- */

static void skip_second(void *arg)
{
    (void)arg;
    fake_pause_ms(50);
    fake_time_skip(XENSTORE_TIMEOUT_NS);
}

/* Run `call` while the clock jumps past its deadline. */
#define WITH_TIMEOUT(call)                                                                         \
    do {                                                                                           \
        struct thread *skipper_;                                                                   \
        CHECK_EQ(thread_create(&skipper_, "skip", 0, PRIORITY_NORMAL, skip_second, NULL), 0);      \
        call;                                                                                      \
        CHECK_EQ(thread_join(skipper_, TIME_NEVER), 0);                                            \
    } while (0)

TEST(silent_daemon)
{
    char *value;

    connect_at(0);
    fake_xenstored.silent = true;
    WITH_TIMEOUT(CHECK_EQ(xenstore_read(XBT_NIL, "x", &value, NULL), -XEN_ETIMEDOUT));
    WITH_TIMEOUT(CHECK_EQ(xenstore_write(XBT_NIL, "x", "", 0), -XEN_ETIMEDOUT));
    CHECK_EQ(fake_logged("closed"), 0);
}

TEST(silent_daemon_many_requests)
{
    char *value;

    connect_at(0);
    fake_xenstored.silent = true;
    for (unsigned int i = 0; i < 20; i++) /* more than there are slots: then none is sent */
        WITH_TIMEOUT(CHECK_EQ(xenstore_read(XBT_NIL, "x", &value, NULL), -XEN_ETIMEDOUT));
    fake_xenstored.silent = false; /* and back again: all the late replies come at once */
    fake_xenstored_set("x", "y");
    check_read("x", "y");
    CHECK_EQ(fake_logged("closed"), 0);
}

TEST(silent_daemon_long_request)
{
    char long_value[3000];

    memset(long_value, 'v', sizeof(long_value));
    connect_at(0);
    fake_xenstored.silent = true;
    WITH_TIMEOUT(
        CHECK_EQ(xenstore_write(XBT_NIL, "x", long_value, sizeof(long_value)), -XEN_ETIMEDOUT));
    /* Part of it is in the ring: nothing else can be sent before the rest. */
    WITH_TIMEOUT(CHECK_EQ(xenstore_write(XBT_NIL, "y", "", 0), -XEN_ETIMEDOUT));
    fake_xenstored.silent = false;
    fake_xenstored_set("z", "1");
    check_read("z", "1");
    CHECK_EQ(strlen(fake_xenstored_get("x")), sizeof(long_value));
}

TEST(late_reply_is_not_the_next_ones)
{
    char *value;

    connect_at(0);
    fake_xenstored_set("a", "old");
    fake_xenstored_set("b", "new");
    fake_xenstored.mute = true;
    WITH_TIMEOUT(CHECK_EQ(xenstore_read(XBT_NIL, "a", &value, NULL), -XEN_ETIMEDOUT));
    fake_xenstored.mute = false;
    check_read("b", "new");
    for (unsigned int i = 0; i < 40; i++) /* slots are used again */
        check_read("b", "new");
    CHECK_EQ(fake_logged("closed"), 0);
}

/* Half of a reply, then silence, then the other half when nobody waits any more. */
static struct xsd_sockmsg half_header;

static bool answer_half(const struct xsd_sockmsg *request, const char *payload)
{
    static char half[300];

    (void)payload;
    half_header = *request;
    half_header.len = 600;
    fake_xenstored_send_raw(&half_header, sizeof(half_header));
    fake_xenstored_send_raw(half, sizeof(half));
    fake_xenstored.hook = NULL;
    return true;
}

TEST(timeout_between_two_halves)
{
    static char half[300];
    char *value;

    connect_at(0);
    fake_xenstored_set("a", "1");
    fake_xenstored.hook = answer_half;
    WITH_TIMEOUT(CHECK_EQ(xenstore_read(XBT_NIL, "b", &value, NULL), -XEN_ETIMEDOUT));
    fake_xenstored_send_raw(half, sizeof(half));
    check_read("a", "1");
    CHECK_NO_LEAK();
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

/* --- directories --- */

static void make_directory(unsigned int count)
{
    char path[40];

    fake_xenstored_set("big", "");
    for (unsigned int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "big/entry-%06u", i);
        fake_xenstored_set(path, "");
    }
}

static void check_directory(unsigned int want)
{
    char *names, *at, name[20];
    unsigned int count;

    CHECK_EQ(xenstore_directory(XBT_NIL, "big", &names, &count), 0);
    CHECK_EQ(count, want);
    at = names;
    for (unsigned int i = 0; i < MIN(count, want); i++, at += strlen(at) + 1) {
        snprintf(name, sizeof(name), "entry-%06u", i);
        CHECK_STR(at, name);
    }
    kmem_free(names);
    CHECK_NO_LEAK();
}

TEST(directory_sizes)
{
    connect_at(NEAR_WRAP);
    make_directory(0);
    check_directory(0);
    make_directory(1);
    check_directory(1);
    make_directory(315); /* 4095 bytes */
    check_directory(315);
    make_directory(316);
    check_directory(316);
    make_directory(2000);
    check_directory(2000);
    CHECK_GT(fake_xenstored.requests[XS_DIRECTORY_PART], 3);
}

TEST(directory_of_old_daemon)
{
    char *names;
    unsigned int count;

    connect_at(0);
    fake_xenstored.no_directory_part = true;
    make_directory(500);
    CHECK_EQ(xenstore_directory(XBT_NIL, "big", &names, &count), -XEN_E2BIG);
    CHECK_EQ(xenstore_directory(XBT_NIL, "none", &names, &count), -XEN_ENOENT);
}

static unsigned int changes_left;

static bool change_directory(const struct xsd_sockmsg *request, const char *payload)
{
    (void)payload;
    if (request->type == XS_DIRECTORY_PART && changes_left) {
        changes_left--;
        fake_xenstored_set("elsewhere", "x"); /* the fake's generation counts every change */
    }
    return false;
}

TEST(directory_changes_meanwhile)
{
    connect_at(0);
    make_directory(1000);
    changes_left = 5;
    fake_xenstored.hook = change_directory;
    check_directory(1000);
    CHECK_EQ(changes_left, 0);
}

TEST(directory_changes_for_ever)
{
    char *names;
    unsigned int count;

    connect_at(0);
    make_directory(1000);
    changes_left = 1000000;
    fake_xenstored.hook = change_directory;
    CHECK_EQ(xenstore_directory(XBT_NIL, "big", &names, &count), -XEN_EAGAIN);
    CHECK_NO_LEAK();
}

/* Parts for ever, or parts that are none. */
static char part[XENSTORE_PAYLOAD_MAX];
static uint32_t part_len;

static bool answer_part(const struct xsd_sockmsg *request, const char *payload)
{
    (void)payload;
    if (request->type == XS_DIRECTORY)
        fake_xenstored_send(XS_ERROR, request->req_id, 0, "E2BIG", 6);
    else
        fake_xenstored_send(request->type, request->req_id, 0, part, part_len);
    return true;
}

TEST(directory_never_ends)
{
    char *names;
    unsigned int count;

    connect_at(0);
    memset(part, 'a', sizeof(part));
    part[1] = part[sizeof(part) - 1] = 0;
    part_len = sizeof(part);
    fake_xenstored.hook = answer_part;
    CHECK_EQ(xenstore_directory(XBT_NIL, "big", &names, &count), -XEN_E2BIG);
    CHECK_NO_LEAK();
}

static void check_bad_part(const char *bytes, uint32_t len)
{
    char *names;
    unsigned int count;

    connect_at(0);
    memcpy(part, bytes, len);
    part_len = len;
    fake_xenstored.hook = answer_part;
    CHECK_EQ(xenstore_directory(XBT_NIL, "big", &names, &count), -XEN_EPROTO);
    CHECK_EQ(xenstore_directory(XBT_NIL, "big", &names, &count), -XEN_EIO);
    CHECK_EQ(fake_logged("DIRECTORY_PART"), 1);
    CHECK_NO_LEAK();
}

TEST(directory_part_empty)
{
    check_bad_part("", 0);
}

TEST(directory_part_without_names)
{
    check_bad_part("17", 3);
}

TEST(directory_part_without_generation_end)
{
    check_bad_part("17", 2);
}

TEST(directory_part_without_terminator)
{
    check_bad_part("1\0a", 3);
}

TEST(directory_part_with_long_generation)
{
    check_bad_part("123456789012345678901234567\0a\0", 30);
}

TEST(directory_part_that_ends_at_once)
{
    char *names;
    unsigned int count = 99;

    connect_at(0);
    memcpy(part, "17\0", 4);
    part_len = 4;
    fake_xenstored.hook = answer_part;
    CHECK_EQ(xenstore_directory(XBT_NIL, "big", &names, &count), 0);
    CHECK_EQ(count, 0);
    kmem_free(names);
    CHECK_NO_LEAK();
}
