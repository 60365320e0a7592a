/* SPDX-License-Identifier: MIT
 *
 * An interface with its backend and xenstore, all fakes: what the tests of its life start from.
 */
#pragma once

#include <stdlib.h>
#include "lib/atomic.h"
#include "netfront/internal.h"
#include "tests/host/fake_netback.h"
#include "tests/host/fake_xenstored.h"
#include "tests/host/test.h"

#define FRONT "/local/domain/7/device/vif/0"
#define BACK  "/local/domain/0/backend/vif/7/0"

static struct netdev *dev;
static unsigned int added, removed, ups, downs, received;

static void receive(struct netdev *from, unsigned int queue, struct netdev_packet *packet)
{
    CHECK(from == dev);
    CHECK_LT(queue, dev->features.queues);
    for (unsigned int i = 0; i < packet->nfrags; i++)
        netbuf_put(packet->frag[i].buf);
    atomic_fetch_add(&received, 1);
}

static void on_link(struct netdev *of, bool up)
{
    CHECK(of == dev);
    atomic_fetch_add(up ? &ups : &downs, 1);
}

static void on_added(struct netdev *new)
{
    dev = new;
    dev->receive = receive;
    dev->link = on_link;
    dev->filter_multicast = true;
    atomic_fetch_add(&added, 1);
}

static void on_removed(struct netdev *old)
{
    CHECK(old == dev);
    atomic_fetch_add(&removed, 1);
}

static const struct netdev_listener listener = { on_added, on_removed };

static unsigned int count_of(const unsigned int *count)
{
    return load_acquire(count);
}

static void set_back(const char *key, const char *value)
{
    char path[100];

    snprintf(path, sizeof(path), BACK "/%s", key);
    fake_xenstored_set(path, value);
}

/* What netback does when its frontend's state changes. */
static bool follow(const struct xsd_sockmsg *request, const char *payload)
{
    static const char path[] = "device/vif/0/state";

    if (request->type != XS_WRITE || strcmp(payload, path) || request->len != sizeof(path) + 1)
        return false;
    switch (payload[sizeof(path)] - '0') {
    case XenbusStateInitialising:
        set_back("state", "2");
        break;
    case XenbusStateConnected:
        set_back("state", "4");
        break;
    case XenbusStateClosing:
        set_back("state", "5");
        break;
    case XenbusStateClosed:
        set_back("state", "6");
        break;
    }
    return false;
}

static void make_frontend_of(const char *mac)
{
    fake_xenstored_set(FRONT "/mac", mac);
    fake_xenstored_set(FRONT "/backend-id", "0");
    fake_xenstored_set(FRONT "/state", "1");
    fake_xenstored_set(FRONT "/backend", BACK);
}

static void make_frontend(void)
{
    make_frontend_of("00:16:3e:01:02:fE");
}

static void make_backend(void)
{
    set_back("online", "1");
    set_back("feature-rx-copy", "1");
    set_back("feature-sg", "1");
    set_back("feature-gso-tcpv4", "1");
    set_back("feature-gso-tcpv6", "1");
    set_back("feature-ipv6-csum-offload", "1");
    set_back("feature-split-event-channels", "1");
    set_back("feature-multicast-control", "1");
    set_back("multi-queue-max-queues", "8");
    set_back("state", "2");
}

static void start(void)
{
    fake_xenstored_start(0);
    fake_xenstored_connect();
    fake_xenstored.hook = follow;
    netdev_listen(&listener);
    CHECK_EQ(netfront_start(), 0);
}

static unsigned long number_of(const char *key)
{
    char path[100];
    const char *value;

    snprintf(path, sizeof(path), FRONT "/%s", key);
    value = fake_xenstored_get(path);
    return value ? strtoul(value, NULL, 10) : 0;
}

static void connect(void)
{
    make_backend();
    make_frontend();
    CHECK_SOON(count_of(&ups) == 1);
}

static inline void attach(struct fake_netback *back)
{
    netback_attach(back, number_of("tx-ring-ref"), number_of("rx-ring-ref"));
}

static inline void detach(struct fake_netback *back)
{
    netback_detach(back, number_of("tx-ring-ref"), number_of("rx-ring-ref"));
}
