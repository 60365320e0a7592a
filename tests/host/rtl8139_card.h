/* SPDX-License-Identifier: MIT
 *
 * The emulated card's driver and a card in its slot: what its tests start from.
 */
#pragma once

#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "rtl8139/internal.h"
#include "tests/host/fake_pc.h"
#include "tests/host/test.h"

static struct netdev *dev;
static unsigned int ups, downs, received, rooms, ends;
static struct netdev_packet last; /* held until the next one */
static bool keep_none;

static inline void let_go(struct netdev_packet *packet)
{
    for (unsigned int i = 0; i < packet->nfrags; i++)
        netbuf_put(packet->frag[i].buf);
    packet->nfrags = 0;
}

static inline void receive(struct netdev *from, unsigned int queue, struct netdev_packet *packet)
{
    CHECK(from == dev);
    CHECK_EQ(queue, 0);
    let_go(&last);
    last = *packet;
    if (keep_none)
        let_go(&last);
    atomic_fetch_add(&received, 1);
}

static inline void batch_end(struct netdev *from, unsigned int queue)
{
    (void)from, (void)queue;
    atomic_fetch_add(&ends, 1);
}

static inline void room(struct netdev *from, unsigned int queue)
{
    (void)from, (void)queue;
    atomic_fetch_add(&rooms, 1);
}

static inline void on_link(struct netdev *of, bool up)
{
    CHECK(of == dev);
    atomic_fetch_add(up ? &ups : &downs, 1);
}

static inline void on_added(struct netdev *new)
{
    dev = new;
    dev->receive = receive;
    dev->batch_end = batch_end;
    dev->tx_room = room;
    dev->link = on_link;
}

static inline void on_removed(struct netdev *old)
{
    CHECK(old == NULL); /* a card is never taken back */
}

static inline unsigned int count_of(const unsigned int *count)
{
    return load_acquire(count);
}

static const struct netdev_listener listener = { on_added, on_removed };

static inline void start(unsigned int cards)
{
    thread_yield(); /* the fake kernel's, which is linked for it */
    upcalls_enable();
    netdev_listen(&listener);
    CHECK_EQ(rtl8139_start(), cards);
}

/* The link is up. */
static inline void run(void)
{
    fake_card_plug();
    start(1);
    CHECK_SOON(count_of(&ups) == 1);
}

static inline void deliver(size_t len, uint8_t byte)
{
    uint8_t frame[2000];
    unsigned int before = count_of(&received);

    memset(frame, byte, sizeof(frame));
    CHECK(fake_card_receive(frame, len, 0));
    CHECK_SOON(count_of(&received) == before + 1);
}

static inline int send(unsigned int nfrags, unsigned int len, bool flush)
{
    struct netdev_packet packet = { .nfrags = nfrags };
    int rc;

    for (unsigned int i = 0; i < nfrags; i++) {
        struct netbuf *buf = netbuf_alloc();

        memset(netbuf_page(buf), (int)i + 1, PAGE_SIZE);
        packet.frag[i] = (struct netdev_frag){ buf, (uint16_t)(100 * i), (uint16_t)len };
        packet.len += len;
    }
    rc = dev->ops->send(dev, 0, &packet);
    if (rc)
        let_go(&packet);
    if (flush)
        dev->ops->flush(dev, 0);
    return rc;
}

/* Nothing is left but the receive buffers. */
static inline void check_bufs(void)
{
    struct netbuf_stats bufs;

    let_go(&last);
    CHECK_SOON((netbuf_get_stats(&bufs), bufs.total - bufs.pooled == SLOTS));
}

/* The card did what the driver must not accept: it is started anew, and works. */
static inline void expect_restart(void)
{
    CHECK_SOON(count_of(&downs) == 1);
    CHECK_SOON(count_of(&ups) == 2);
    deliver(60, 7);
    CHECK_EQ(send(1, 60, true), 0);
    CHECK_SOON(fake_card.sent > 0);
    check_bufs();
}
