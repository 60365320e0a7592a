/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the network frontend: the fuzzer plays netback, and xenstored's answers.  Its input is a
 * list of acts (answer right, answer wrong, write into a ring, move an index, map a page for ever,
 * another state), one of which is done whenever the interface's thread would wait; the queues'
 * threads and the sender have their turns as acts.
 */
#include <string.h>
#include "kernel/time.h"
#include "mm/kmem.h"
#include "tests/fuzz/guest.h"
#include "tests/fuzz/netfront.h"
#include "xenbus/internal.h"

#define QUEUES 2

struct netfront nf;
bool gone;
static bool linked;
static unsigned int acts;

/* --- the stack --- */

static void let_go(struct netdev_packet *packet)
{
    for (unsigned int i = 0; i < packet->nfrags; i++)
        netbuf_put(packet->frag[i].buf);
}

static void receive(struct netdev *dev, unsigned int index, struct netdev_packet *packet)
{
    unsigned int len = 0;

    MUST(linked && dev == &nf.dev && index < dev->features.queues);
    MUST(packet->nfrags >= 1 && packet->nfrags <= NETDEV_FRAGS_MAX);
    MUST(packet->frag[0].len >= 14 && packet->gso <= NETDEV_GSO_TCPV6);
    MUST(!packet->gso || (packet->gso_size && packet->csum_blank));
    for (unsigned int i = 0; i < packet->nfrags; i++) {
        const struct netdev_frag *frag = &packet->frag[i];
        volatile uint8_t *bytes = netbuf_page(frag->buf);

        MUST(frag->len > 0 && frag->offset + frag->len <= PAGE_SIZE && frag->buf->refs == 1);
        must_not_be_shown(netbuf_page(frag->buf));
        bytes[frag->offset + frag->len - 1]++;
        len += frag->len;
    }
    MUST(len == packet->len && len <= NETDEV_LEN_MAX);
    let_go(packet);
}

static void link_changed(struct netdev *dev, bool up)
{
    MUST(dev == &nf.dev && up != linked);
    linked = up;
}

static void added(struct netdev *dev)
{
    dev->receive = receive;
    dev->link = link_changed;
    dev->filter_multicast = true;
}

static void removed(struct netdev *dev)
{
    (void)dev;
    MUST(!linked);
}

void network_start(void)
{
}

static void send_something(unsigned int how)
{
    struct netdev_packet packet = { .nfrags = 1 + how % NETDEV_FRAGS_MAX };
    static const uint8_t mac[6] = { 1 };

    if (!linked || how == 0xff)
        return;
    if (how == 0xfe) {
        nf.dev.ops->multicast(&nf.dev, mac, true);
        return;
    }
    for (unsigned int i = 0; i < packet.nfrags; i++) {
        uint16_t len = i ? 200 : 60;

        packet.frag[i] = (struct netdev_frag){ netbuf_alloc(), 100, len };
        packet.len += len;
    }
    if (how & 0x40) {
        packet.csum_blank = true;
        packet.gso = 1 + (how >> 7);
        packet.gso_size = 1000;
    }
    if (nf.dev.ops->send(&nf.dev, how % nf.dev.features.queues, &packet))
        let_go(&packet);
    if (how & 0x20)
        nf.dev.ops->flush(&nf.dev, how % nf.dev.features.queues);
}

/* --- netback --- */

static struct netfront_queue *queue(unsigned int n)
{
    return n < nf.nr_queues ? nf.queues[n] : NULL;
}

/* What queue_main() does in a turn. */
static void queue_turn(struct netfront_queue *q, unsigned int budget)
{
    int rc;

    if (!q || !q->thread || nf.fault.field)
        return; /* it would have ended itself */
    rc = tx_poll(q, budget);
    if (rc >= 0)
        rc = rx_poll(q, budget);
    if (rc < 0)
        netfront_found_fault(q);
}

/* What the guest asks is sound, whatever was done to it. */
static void judge_requests(struct netfront_queue *q)
{
    for (RING_IDX i = q->tx.cons; i != q->tx.shown; i++)
        MUST(q->tx.shown - i <= RING_SLOTS);
    MUST(q->tx.prod - q->tx.cons <= RING_SLOTS && q->rx.prod - q->rx.cons <= RING_SLOTS);
    for (unsigned int i = 0; i < RING_SLOTS; i++)
        MUST(!q->rx.bufs[i] || refs[q->rx.refs[i]].page == netbuf_page(q->rx.bufs[i]) ||
             !refs[q->rx.refs[i]].page);
}

static void answer_rx(struct netfront_queue *q, unsigned int how)
{
    RING_IDX prod = q->rx.sring->rsp_prod;
    struct netif_rx_response rsp = { .id = SLOT_OF(prod), .status = 100 };

    if (how & 1)
        rsp.flags = input_byte() & 0x1f;
    if (how & 2)
        rsp.status = (int16_t)input_u32();
    if (how & 4)
        rsp.offset = (uint16_t)input_u32();
    if (how == 0x78)
        rsp.id = (uint16_t)input_u32();
    q->rx.sring->ring[SLOT_OF(prod)].rsp = rsp;
    if (how & 0x80) { /* extra_info */
        struct netif_extra_info extra = { .type = 1, .u.gso = { .size = 1448, .type = 1 } };

        if (how & 8)
            memset(&extra, input_byte(), sizeof(extra));
        if (how & 0x10)
            extra.flags = 1;
        memcpy(&q->rx.sring->ring[SLOT_OF(prod)], &extra, sizeof(extra));
    }
    q->rx.sring->rsp_prod = prod + 1;
}

static void answer_tx(struct netfront_queue *q, unsigned int how)
{
    RING_IDX prod = q->tx.sring->rsp_prod;
    struct netif_tx_response rsp = { .id = SLOT_OF(prod), .status = NETIF_RSP_OKAY };

    /* Of the requests asked: the id is mostly the place, as long as there were no extras. */
    if (how & 1)
        rsp.id = input_byte();
    if (how & 2)
        rsp.status = (int8_t)input_byte();
    if (how & 4)
        rsp.id = (uint16_t)input_u32();
    q->tx.sring->ring[SLOT_OF(prod)].rsp = rsp;
    q->tx.sring->rsp_prod = prod + 1;
}

/* Only what is lent can be mapped. */
static void map(grant_ref_t ref, bool mapped)
{
    refs[ref].mapped = mapped && refs[ref].page;
}

static void act_on_queue(struct netfront_queue *q, unsigned int what, unsigned int how)
{
    switch (what) {
    case 0:
    case 1:
        answer_rx(q, how);
        break;
    case 2:
        for (unsigned int i = 0; i < how; i++)
            answer_rx(q, i % 17 == 16 ? 0 : 1);
        break;
    case 3:
    case 4:
        answer_tx(q, how);
        break;
    case 5:
        if (how & 1)
            q->rx.sring->rsp_prod = input_u32();
        else
            q->tx.sring->rsp_prod = input_u32();
        break;
    case 6: /* what a backend may only read */
        q->rx.sring->req_prod = q->tx.sring->req_prod = input_u32();
        q->rx.sring->rsp_event = q->tx.sring->rsp_event = input_u32();
        q->rx.sring->req_event = q->tx.sring->req_event = input_u32();
        break;
    case 7:
        map(how & 1 ? q->rx.refs[how] : q->rx.sring_ref, how & 2);
        break;
    case 8:
        map(q->tx.slots[how].ref, true);
        break;
    case 9:
        queue_turn(q, 1 + how);
        judge_requests(q);
        break;
    }
}

static void answer_ctrl(unsigned int how)
{
    struct xen_netif_ctrl_sring *ring = nf.ctrl.sring;
    RING_IDX last = nf.ctrl.prod - 1;
    struct xen_netif_ctrl_response rsp = { .id = (uint16_t)last };

    if (!ring || !nf.ctrl.prod)
        return;
    rsp.type = ring->ring[last % CTRL_SLOTS].req.type;
    if (how & 1)
        rsp.status = how >> 4;
    if (how & 2)
        rsp.id = input_byte();
    if (how & 4)
        map(ring->ring[last % CTRL_SLOTS].req.data[0] % REFS, true);
    ring->ring[last % CTRL_SLOTS].rsp = rsp;
    ring->rsp_prod = how & 8 ? input_u32() : nf.ctrl.prod;
    signal_raise(&nf.ctrl.answered);
}

static void act(void)
{
    static const char *const states[] = { "2", "4", "5", "6", "1", "0", "8", "x" };
    unsigned int what = input_byte(), how = input_byte();
    struct netfront_queue *q = queue(what >> 4 & 1);

    switch (what & 15) {
    case 10:
        answer_ctrl(how);
        break;
    case 11:
    case 12:
        send_something(how);
        break;
    case 13:
        set_state(states[how % 8]);
        break;
    case 14:
        guest_now_ns += how * NS_PER_S / 8;
        break;
    case 15:
        nf.look_again = true;
        if (how & 1 && carrier)
            carrier->fn(carrier, "");
        signal_raise(&nf.look);
        break;
    default:
        if (q && q->rx.sring && q->tx.sring)
            act_on_queue(q, what & 15, how);
        break;
    }
}

void other_end_notified(void)
{
}

bool other_end_turn(void)
{
    acts++;
    if (answer) {
        const char *text = answer;

        answer = NULL;
        if (input_byte() != 0xff)
            set_state(text);
        return true;
    }
    if (input_left() && acts < 4000) {
        act();
        return true;
    }
    if (gone)
        return false;
    gone = true; /* the toolstack takes the device away */
    set_state("6");
    nf.look_again = true;
    signal_raise(&nf.look);
    return true;
}

static void check_nothing_stays(void)
{
    struct netbuf_stats bufs;

    unmap_all();
    MUST(netfront_lingering() == 0);
    netbuf_get_stats(&bufs);
    MUST(bufs.total == bufs.pooled);
    MUST(pages == bufs.total);
    MUST(threads == 0);
    MUST(!carrier && !state_watch);
    for (unsigned int i = 0; i < REFS; i++)
        MUST(!refs[i].used);
    for (unsigned int i = 0; i < PORTS; i++)
        MUST(!ports[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct netdev_listener listener = { added, removed };
    static unsigned long pool_blocks;

    input = (struct input){ data, data + size };
    percpus[0] = &percpu_boot;
    netdev_listen(&listener);
    memset(&nf, 0, sizeof(nf));
    signal_init(&nf.look);
    strcpy(nf.dev.name, "vif0");
    gone = linked = false;
    answer = NULL;
    acts = 0;
    vcpus_online.bits[0] = input_byte() & 1 ? 3 : 1;
    set_state("2");
    netfront_live(&nf);
    for (unsigned int i = 0; i < QUEUES; i++)
        kmem_free(nf.queues[i]);
    check_nothing_stays();
    {
        struct netbuf_stats bufs;

        netbuf_get_stats(&bufs);
        pool_blocks = bufs.total + (percpu_boot.netbufs != NULL);
    }
    MUST(guest_blocks == pool_blocks);
    return 0;
}
