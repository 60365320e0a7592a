/* SPDX-License-Identifier: MIT
 *
 * Shutdown requests as xl makes them, and as it does not.
 */
#include "control/control.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "tests/host/fake_smp.h"
#include "tests/host/fake_xenstored.h"
#include "tests/host/test.h"

#define NODE "control/shutdown"

static unsigned int delivered;
static enum control_request last;

static void deliver(enum control_request request)
{
    last = request;
    atomic_fetch_add(&delivered, 1);
}

static void start_control(void)
{
    fake_smp.vcpus = 1;
    fake_xenstored_start(0);
    fake_xenstored_connect();
    CHECK_EQ(control_init(deliver), 0);
    CHECK_SOON(fake_xenstored_get("control/feature-reboot") != NULL);
}

TEST(features_after_the_watch)
{
    start_control();
    CHECK_EQ(fake_xenstored_watches(NODE), 1);
    CHECK_STR(fake_xenstored_get("control/feature-poweroff"), "1");
    CHECK_STR(fake_xenstored_get("control/feature-reboot"), "1");
    fake_pause_ms(20);
    CHECK_EQ(delivered, 0);
}

static void request(const char *word, enum control_request want)
{
    unsigned int before = load_acquire(&delivered);

    fake_xenstored_set(NODE, word);
    CHECK_SOON(load_acquire(&delivered) == before + 1);
    CHECK_EQ(last, want);
    CHECK_STR(fake_xenstored_get(NODE), "");
}

TEST(requests_are_acknowledged_and_delivered)
{
    start_control();
    request("poweroff", CONTROL_POWEROFF);
    request("reboot", CONTROL_REBOOT);
    request("halt", CONTROL_HALT);
    fake_pause_ms(20); /* our own "" fires the watch too */
    CHECK_EQ(delivered, 3);
    CHECK_EQ(fake_xenstored.open_transactions, 0);
}

TEST(request_from_before_the_watch)
{
    fake_xenstored_start(0);
    fake_xenstored_connect();
    fake_xenstored_set(NODE, "reboot");
    CHECK_EQ(control_init(deliver), 0);
    CHECK_SOON(load_acquire(&delivered) == 1);
    CHECK_EQ(last, CONTROL_REBOOT);
}

TEST(request_conflicts)
{
    start_control();
    fake_xenstored.conflicts = 3;
    request("poweroff", CONTROL_POWEROFF);
}

TEST(unknown_request_is_acknowledged)
{
    log_level = LOG_WARN;
    start_control();
    fake_xenstored_set(NODE, "hibernate");
    CHECK_SOON(fake_logged("'hibernate'") == 1);
    CHECK_SOON(strcmp(fake_xenstored_get(NODE), "") == 0);
    fake_pause_ms(20);
    CHECK_EQ(delivered, 0);
    request("poweroff", CONTROL_POWEROFF);
}

TEST(node_removed)
{
    start_control();
    fake_xenstored_set(NODE, "");
    fake_xenstored_set(NODE, NULL);
    fake_pause_ms(20);
    CHECK_EQ(delivered, 0);
    CHECK_EQ(fake_logged("warning"), 0);
}

static bool refuse(const struct xsd_sockmsg *request, const char *payload)
{
    (void)payload;
    fake_xenstored_send(XS_ERROR, request->req_id, 0, "EACCES", 7);
    return true;
}

TEST(watch_refused)
{
    fake_xenstored_start(0);
    fake_xenstored_connect();
    fake_xenstored.hook = refuse;
    CHECK_EQ(control_init(deliver), 0);
    CHECK_SOON(fake_logged("not watched: EACCES") == 1);
}

static unsigned int swallowed, delivered_early;

/* The first transaction gets no answer. */
static bool swallow(const struct xsd_sockmsg *request, const char *payload)
{
    (void)payload;
    if (request->type != XS_TRANSACTION_START)
        return false;
    if (load_acquire(&swallowed) == 1) /* it is tried again */
        store_release(&delivered_early, load_acquire(&delivered));
    return atomic_fetch_add(&swallowed, 1) == 0;
}

TEST(unanswered_acknowledgement_is_tried_again)
{
    fake_smp.vcpus = 1;
    fake_xenstored_start(0);
    fake_xenstored_connect();
    fake_xenstored_set(NODE, "reboot"); /* there already: else the first look might find it */
    fake_xenstored.hook = swallow;
    CHECK_EQ(control_init(deliver), 0);
    CHECK_SOON(load_acquire(&delivered) == 1);
    CHECK_GE(load_acquire(&swallowed), 2);
    CHECK_EQ(load_acquire(&delivered_early), 0);
    CHECK_STR(fake_xenstored_get(NODE), "");
}

TEST(silent_xenstored_is_watched_later)
{
    fake_smp.vcpus = 1;
    log_level = LOG_WARN;
    fake_xenstored_start(0);
    fake_xenstored_connect();
    fake_xenstored.silent = true;
    CHECK_EQ(control_init(deliver), 0);
    CHECK_SOON(fake_logged("not watched yet") == 1);
    fake_xenstored.silent = false;
    CHECK_SOON(fake_xenstored_get("control/feature-reboot") != NULL);
    request("reboot", CONTROL_REBOOT);
}

TEST(shutdown_ends_domain)
{
    CHECK_ENDS_DOMAIN(control_shutdown(SHUTDOWN_reboot));
    CHECK_STR(fake_xen.last_words, "shutdown 1");
}
