/* SPDX-License-Identifier: MIT
 *
 * What the tests of the xenstore client share: a connection to the fake daemon, and what a test may
 * not leave behind.
 */
#pragma once

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

static inline void check_read(const char *path, const char *want)
{
    char *value = NULL;
    size_t len = 0;

    CHECK_EQ(xenstore_read(XBT_NIL, path, &value, &len), 0);
    CHECK_STR(value, want);
    CHECK_EQ(len, strlen(want));
    kmem_free(value);
}
