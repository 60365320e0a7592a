/* SPDX-License-Identifier: MIT
 *
 * The frontend's state machine, with a backend that answers, dies, jumps, or writes nonsense.
 */
#include "kernel/thread.h"
#include "kernel/time.h"
#include "tests/host/fake_xenstored.h"
#include "tests/host/test.h"
#include "xenbus/xenbus.h"

#define FRONT "/local/domain/7/device/vif/0"
#define BACK  "/local/domain/0/backend/vif/7/0"

static struct xenbus_device device;

static void make_device(void)
{
    fake_xenstored_start(0);
    fake_xenstored_connect();
    fake_xenstored_set(FRONT "/backend", BACK);
    fake_xenstored_set(FRONT "/backend-id", "0");
    fake_xenstored_set(FRONT "/state", "1");
    fake_xenstored_set(BACK "/state", "2");
}

static void open_device(void)
{
    make_device();
    CHECK_EQ(xenbus_open(&device, "vif", 0), 0);
    CHECK_STR(device.path, "device/vif/0");
    CHECK_STR(device.backend_path, BACK);
    CHECK_EQ(device.backend_id, 0);
}

/* A backend that follows its frontend as netback does. */
static bool follow(const struct xsd_sockmsg *request, const char *payload)
{
    static const char path[] = "device/vif/0/state";
    const char *value = payload + sizeof(path);

    if (request->type != XS_WRITE || strcmp(payload, path) || request->len != sizeof(path) + 1)
        return false;
    switch (*value) {
    case '0' + XenbusStateConnected:
        fake_xenstored_set(BACK "/state", "4");
        break;
    case '0' + XenbusStateClosing:
        fake_xenstored_set(BACK "/state", "5");
        break;
    case '0' + XenbusStateClosed:
        fake_xenstored_set(BACK "/state", "6");
        break;
    }
    return false;
}

static uint64_t soon(void)
{
    return time_after_ns(NS_PER_S / 20);
}

TEST(device_lives_and_ends)
{
    unsigned long live;

    make_device();
    fake_xenstored.hook = follow;
    CHECK_EQ(xenbus_open(&device, "vif", 0), 0);
    live = fake_alloc_live();
    CHECK_EQ(xenbus_await_backend(&device, XenbusStateInitWait, time_after_ns(NS_PER_S)), 0);
    CHECK_EQ(xenbus_publish(&device, (struct xenbus_pair[]){ { "tx-ring-ref", 8 },
                                                             { "event-channel", 4000000000 },
                                                             { NULL, 0 } }),
             0);
    CHECK_STR(fake_xenstored_get(FRONT "/tx-ring-ref"), "8");
    CHECK_STR(fake_xenstored_get(FRONT "/event-channel"), "4000000000");
    CHECK_EQ(fake_xenstored.open_transactions, 0);
    CHECK_EQ(xenbus_set_state(&device, XenbusStateConnected), 0);
    CHECK_EQ(device.state, XenbusStateConnected);
    CHECK_EQ(xenbus_await_backend(&device, XenbusStateConnected, time_after_ns(NS_PER_S)), 0);
    xenbus_close(&device);
    CHECK_STR(fake_xenstored_get(FRONT "/state"), "6");
    CHECK_STR(fake_xenstored_get(BACK "/state"), "6");
    CHECK_EQ(fake_xenstored_watches(BACK "/state"), 0);
    CHECK_EQ(fake_alloc_live(), live - 2); /* the two paths */
    xenbus_close(&device);                 /* again: nothing to do */
}

TEST(publish_again_after_conflict)
{
    open_device();
    fake_xenstored.conflicts = 2;
    CHECK_EQ(xenbus_publish(&device, (struct xenbus_pair[]){ { "a", 1 }, { NULL, 0 } }), 0);
    CHECK_STR(fake_xenstored_get(FRONT "/a"), "1");
    CHECK_EQ(fake_xenstored.requests[XS_TRANSACTION_START], 3);
}

TEST(no_such_device)
{
    make_device();
    CHECK_EQ(xenbus_open(&device, "vif", 1), -XEN_ENOENT);
    CHECK_EQ(xenbus_open(&device, "vbd", 0), -XEN_ENOENT);
    xenbus_close(&device); /* half open */
    fake_xenstored_set(FRONT "/backend", NULL);
    CHECK_EQ(xenbus_open(&device, "vif", 0), -XEN_ENOENT);
    xenbus_close(&device);
}

TEST(backend_id_nonsense)
{
    static const char *const bad[] = { "-1", "65535", "32752", "zero", "" };

    make_device();
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        fake_xenstored_set(FRONT "/backend-id", bad[i]);
        CHECK_EQ(xenbus_open(&device, "vif", 0), -XEN_EINVAL);
    }
}

TEST(backend_never_ready)
{
    open_device();
    CHECK_EQ(xenbus_await_backend(&device, XenbusStateConnected, soon()), -XEN_ETIMEDOUT);
    CHECK_EQ(fake_logged("is in state 2, not 4"), 1);
}

TEST(backend_closes_instead)
{
    open_device();
    fake_xenstored_set(BACK "/state", "5");
    CHECK_EQ(xenbus_await_backend(&device, XenbusStateConnected, time_after_ns(NS_PER_S)),
             -XEN_ECONNRESET);
    CHECK_EQ(xenbus_await_backend(&device, XenbusStateClosing, time_after_ns(NS_PER_S)), 0);
}

TEST(backend_vanishes)
{
    open_device();
    fake_xenstored_set(BACK, NULL);
    CHECK_EQ(xenbus_await_backend(&device, XenbusStateConnected, time_after_ns(NS_PER_S)),
             -XEN_ECONNRESET);
    CHECK_EQ(xenbus_await_backend(&device, XenbusStateClosed, soon()), 0);
}

/* xenstored says so when the directory that is left belongs to dom0 alone. */
static bool refuse_backend(const struct xsd_sockmsg *request, const char *payload)
{
    if (request->type != XS_READ || strncmp(payload, BACK, strlen(BACK)) != 0)
        return false;
    fake_xenstored_send(XS_ERROR, request->req_id, request->tx_id, "EACCES", sizeof("EACCES"));
    return true;
}

TEST(backend_vanishes_and_is_not_readable)
{
    open_device();
    fake_xenstored.hook = refuse_backend;
    fake_xenstored_set(BACK, NULL);
    CHECK_EQ(xenbus_await_backend(&device, XenbusStateClosed, time_after_ns(NS_PER_S)), 0);
    CHECK_EQ(fake_logged("EACCES"), 0);
}

TEST(backend_state_nonsense)
{
    static const char *const bad[] = { "9", "4294967300", "four", "", "-2" };

    open_device();
    CHECK_EQ(xenbus_await_backend(&device, XenbusStateInitWait, time_after_ns(NS_PER_S)), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        fake_xenstored_set(BACK "/state", bad[i]);
    CHECK_EQ(xenbus_await_backend(&device, XenbusStateConnected, soon()), -XEN_ETIMEDOUT);
    CHECK_EQ(device.backend_state, XenbusStateInitWait);
    CHECK_GE(fake_logged("not read: EINVAL"), 1);
    fake_xenstored_set(BACK "/state", "4");
    CHECK_EQ(xenbus_await_backend(&device, XenbusStateConnected, time_after_ns(NS_PER_S)), 0);
}

TEST(backend_numbers)
{
    open_device();
    fake_xenstored_set(BACK "/multi-queue-max-queues", "4");
    CHECK_EQ(xenbus_backend_number(&device, "multi-queue-max-queues", 8, 1), 4);
    CHECK_EQ(xenbus_backend_number(&device, "absent", 8, 1), 1);
    CHECK_EQ(fake_logged("warning"), 0);
    CHECK_EQ(xenbus_backend_number(&device, "multi-queue-max-queues", 3, 1), 1);
    CHECK_EQ(fake_logged("multi-queue-max-queues is '4'"), 1);
    fake_xenstored_set(BACK "/mtu", "9000 or so");
    CHECK_EQ(xenbus_backend_number(&device, "mtu", 65535, 1500), 1500);
    CHECK_EQ(fake_logged("is '9000 or so'"), 1);
}

TEST(fatal_is_told_to_the_toolstack)
{
    open_device();
    xenbus_fatal(&device, -XEN_ENOSPC, "no grants for the ring");
    CHECK_STR(fake_xenstored_get("error/device/vif/0/error"), "-28 no grants for the ring");
    CHECK_EQ(fake_logged("device/vif/0: no grants for the ring: ENOSPC"), 1);
}

static void skip_often(void *arg)
{
    (void)arg;
    for (unsigned int i = 0; i < 4; i++) {
        fake_pause_ms(100);
        fake_time_skip(NS_PER_S);
    }
}

TEST(close_with_silent_backend)
{
    struct thread *skipper;

    open_device();
    CHECK_EQ(thread_create(&skipper, "skip", 0, PRIORITY_NORMAL, skip_often, NULL), 0);
    xenbus_close(&device);
    CHECK_EQ(thread_join(skipper, TIME_NEVER), 0);
    CHECK_STR(fake_xenstored_get(FRONT "/state"), "6");
    CHECK_EQ(fake_xenstored_watches(BACK "/state"), 0);
}

TEST(open_when_memory_is_out)
{
    make_device();
    for (long allowed = 0; allowed < 6; allowed++) {
        unsigned long live = fake_alloc_live();
        int rc;

        fake_alloc_fail_after(allowed);
        rc = xenbus_open(&device, "vif", 0);
        fake_alloc_fail_after(-1);
        if (rc == 0)
            xenbus_close(&device);
        else
            CHECK_EQ(rc, -XEN_ENOMEM);
        CHECK_EQ(fake_alloc_live(), live);
    }
}
