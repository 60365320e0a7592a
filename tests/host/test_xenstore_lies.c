/* SPDX-License-Identifier: MIT
 *
 * The xenstore client against a daemon that is slow, silent, or lies.
 */
#include "kernel/thread.h"
#include "kernel/time.h"
#include "tests/host/xenstore_client.h"

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
