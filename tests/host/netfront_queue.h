/* SPDX-License-Identifier: MIT
 *
 * A queue of netfront's with a fake backend at its rings: what the tests of either ring start from.
 * No thread and no xenstore: the test calls what they would.
 */
#pragma once

#include "events/events.h"
#include "grant/grant.h"
#include "mm/page.h"
#include "lib/irq.h"
#include "netfront/internal.h"
#include "tests/host/fake_netback.h"
#include "tests/host/test.h"

static struct netfront nf = { .id = 0 };
static struct netfront_queue queue, *const q = &queue;
static struct fake_netback back;

/* What came up; the last packet is kept. */
static struct netdev_packet last;
static unsigned int received, rooms;

static void let_go(struct netdev_packet *packet)
{
    for (unsigned int i = 0; i < packet->nfrags; i++)
        netbuf_put(packet->frag[i].buf);
    packet->nfrags = 0;
}

static uint8_t *bytes_of(const struct netdev_packet *packet, unsigned int frag)
{
    return (uint8_t *)netbuf_page(packet->frag[frag].buf) + packet->frag[frag].offset;
}

static void receive(struct netdev *dev, unsigned int index, struct netdev_packet *packet)
{
    CHECK(dev == &nf.dev);
    CHECK_EQ(index, q->index);
    let_go(&last);
    last = *packet;
    received++;
}

static void room(struct netdev *dev, unsigned int index)
{
    (void)dev;
    (void)index;
    rooms++;
}

static unsigned int grants_used(void)
{
    struct grant_stats stats;

    grant_get_stats(&stats);
    return stats.used;
}

static unsigned int first_target; /* 0: all there may be */
static unsigned int queues = 1;   /* that share the memory */

/* A queue as it is when the link is up, everything agreed on. */
static void open_queue(void)
{
    CHECK_EQ(events_init(fake_shared_info, EVENTS_AUTO), 0);
    upcalls_enable();
    nf.queues[0] = q;
    nf.nr_queues = 1;
    nf.gso4 = nf.gso6 = true;
    nf.xenbus.backend_id = NETBACK_DOMID;
    nf.carrier = true;
    nf.dev = (struct netdev){
        .name = "vif0", .ops = &netfront_ops, .driver = &nf, .receive = receive, .tx_room = room
    };
    nf.dev.features = (struct netdev_features){ true, true, true, true, true, true, 1500, queues };
    signal_init(&nf.look);
    q->nf = &nf;
    spin_lock_init(&q->tx.lock, LOCK_NET);
    signal_init(&q->work);
    CHECK_EQ(queue_open(q), 0);
    q->rx.target = first_target ? first_target
                                : q->rx.target_max; /* nothing is to grow but where it is tested */
    CHECK_EQ(rx_poll(q, 1), 0);
    q->tx.open = true;
    netback_attach(&back, q->tx.sring_ref, q->rx.sring_ref);
}

/* All is given back: refs, and pages but for those in the netbufs' pools. */
static void close_queue(void)
{
    struct netbuf_stats bufs;

    let_go(&last);
    queue_stop(q);
    netback_detach(&back, q->tx.sring_ref, q->rx.sring_ref);
    queue_close(q);
    CHECK_EQ(grants_used(), 0);
    netbuf_get_stats(&bufs);
    CHECK_EQ(bufs.total, bufs.pooled);
}

/* The rule was broken: so it is said. */
static void expect_fault(const struct netfront_fault *fault, const char *field, uint64_t value)
{
    CHECK_STR(fault->field, field);
    CHECK_EQ(fault->value, value);
}
