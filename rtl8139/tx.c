/* SPDX-License-Identifier: MIT
 *
 * Sending: a descriptor for each fragment of a packet.  The emulated chip has sent all that it was
 * told of when the store that tells it returns, so packets are taken back there, and nothing waits
 * for an interrupt; a slower one gets what it needs: interrupts while somebody waits for room, and
 * a deadline.
 */
#include "arch/page.h"
#include "kernel/time.h"
#include "rtl8139/internal.h"

#define ROOM    (SLOTS / 4) /* free slots from which a refused sender is called */
#define SENT_NS (2 * NS_PER_S)
#define MTU     1500
#define HEADER  14 /* Ethernet's */

/* All functions below down to take_back(): held: tx->lock. */

static unsigned int free_slots(const struct tx *tx)
{
    return SLOTS - (tx->prod - tx->cons);
}

static void put_fragment(struct rtl8139 *card, unsigned int slot, const struct netdev_frag *frag,
                         uint32_t flags)
{
    struct descriptor *desc = &card->rings->tx[slot];
    uint64_t paddr = (virt_to_mfn(netbuf_page(frag->buf)).n << PAGE_SHIFT) + frag->offset;

    card->tx.bufs[slot] = frag->buf;
    store_once(&desc->tag, 0);
    store_once(&desc->address_low, (uint32_t)paddr);
    store_once(&desc->address_high, (uint32_t)(paddr >> 32));
    if (slot == SLOTS - 1)
        flags |= DESC_LAST_IN_RING;
    store_release(&desc->command, DESC_OWN | flags | frag->len);
}

/* The first fragment's descriptor is the last to become the chip's, which looks at them in order.
 */
static void put_packet(struct rtl8139 *card, const struct netdev_packet *packet)
{
    struct tx *tx = &card->tx;

    for (unsigned int i = packet->nfrags; i-- > 0;)
        put_fragment(card, (tx->prod + i) % SLOTS, &packet->frag[i],
                     (i == 0 ? DESC_FIRST : 0) | (i + 1 == packet->nfrags ? DESC_LAST : 0));
    tx->prod += packet->nfrags;
    tx->packets++;
}

/* What the chip is done with. */
static void take_back(struct rtl8139 *card)
{
    struct tx *tx = &card->tx;
    unsigned int before = tx->cons;

    for (; tx->cons != tx->told; tx->cons++) {
        unsigned int slot = tx->cons % SLOTS;
        uint32_t command = load_acquire(&card->rings->tx[slot].command);

        if (command & DESC_OWN)
            break;
        tx->errors += command & DESC_LAST && command & DESC_TX_ERROR;
        netbuf_put(tx->bufs[slot]);
        tx->bufs[slot] = NULL;
    }
    if (tx->cons == tx->told)
        tx->deadline_ns = TIME_NEVER;
    else if (tx->cons != before || tx->deadline_ns == TIME_NEVER)
        tx->deadline_ns = time_after_ns(SENT_NS);
}

/* --- what the stack calls --- */

static bool can_be_sent(const struct netdev_packet *packet)
{
    return packet->nfrags > 0 && packet->nfrags <= NETDEV_FRAGS_MAX &&
           packet->len <= MTU + HEADER && packet->frag[0].len >= HEADER && !packet->csum_blank &&
           packet->gso == NETDEV_GSO_NONE;
}

static int try_to_put(struct rtl8139 *card, const struct netdev_packet *packet)
{
    struct tx *tx = &card->tx;
    bool enabled = spin_lock_save(&tx->lock);
    int rc = tx->open ? 0 : -XEN_ENOTCONN;

    if (rc == 0 && free_slots(tx) < packet->nfrags) {
        tx->starved = true;
        rc = -XEN_EAGAIN;
    }
    if (rc == 0)
        put_packet(card, packet);
    spin_unlock_restore(&tx->lock, enabled);
    return rc;
}

static void rtl8139_flush(struct netdev *dev, unsigned int queue)
{
    struct rtl8139 *card = dev->driver;
    struct tx *tx = &card->tx;
    bool enabled = spin_lock_save(&tx->lock);
    bool tell = tx->open && tx->told != tx->prod, look;

    (void)queue;
    if (tell)
        tx->told = tx->prod;
    spin_unlock_restore(&tx->lock, enabled);
    if (!tell)
        return;
    chip_send(card); /* takes long: not under the lock */
    enabled = spin_lock_save(&tx->lock);
    look = tx->deadline_ns == TIME_NEVER;
    take_back(card);
    look = tx->starved || (look && tx->deadline_ns != TIME_NEVER);
    spin_unlock_restore(&tx->lock, enabled);
    if (look)
        signal_raise(&card->work);
}

static int rtl8139_send(struct netdev *dev, unsigned int queue, const struct netdev_packet *packet)
{
    struct rtl8139 *card = dev->driver;
    int rc;

    if (!can_be_sent(packet))
        return -XEN_EINVAL;
    rc = try_to_put(card, packet);
    if (rc == -XEN_EAGAIN) { /* what is there it may not have been told of yet */
        rtl8139_flush(dev, queue);
        rc = try_to_put(card, packet);
    }
    if (rc == -XEN_EAGAIN)
        signal_raise(&card->work); /* the thread watches for room */
    return rc;
}

/* Every one arrives. */
static int rtl8139_multicast(struct netdev *dev, const uint8_t mac[6], bool join)
{
    (void)dev, (void)mac, (void)join;
    return -XEN_ENOSYS;
}

const struct netdev_ops rtl8139_ops = {
    .send = rtl8139_send,
    .flush = rtl8139_flush,
    .multicast = rtl8139_multicast,
};

/* --- the card's thread --- */

void rtl8139_tx_open(struct rtl8139 *card, bool open)
{
    bool enabled = spin_lock_save(&card->tx.lock);

    card->tx.open = open;
    if (!open)
        card->tx.starved = false;
    spin_unlock_restore(&card->tx.lock, enabled);
}

void rtl8139_tx_close(struct rtl8139 *card)
{
    struct tx *tx = &card->tx;
    bool enabled = spin_lock_save(&tx->lock);

    for (unsigned int i = 0; i < SLOTS; i++) {
        if (tx->bufs[i])
            netbuf_put(tx->bufs[i]);
        tx->bufs[i] = NULL;
        card->rings->tx[i] = (struct descriptor){ 0 };
    }
    tx->prod = tx->cons = tx->told = 0;
    tx->deadline_ns = TIME_NEVER;
    spin_unlock_restore(&tx->lock, enabled);
}

uint64_t rtl8139_tx_poll(struct rtl8139 *card)
{
    struct tx *tx = &card->tx;
    bool enabled = spin_lock_save(&tx->lock), room, starved;
    uint64_t deadline_ns;
    unsigned int unsent;

    take_back(card);
    room = tx->starved && free_slots(tx) >= ROOM;
    if (room)
        tx->starved = false;
    starved = tx->starved;
    deadline_ns = tx->deadline_ns;
    unsent = tx->told - tx->cons;
    spin_unlock_restore(&tx->lock, enabled);
    chip_want_tx_events(card, starved);
    if (!card->dev.up)
        deadline_ns = TIME_NEVER; /* without a link nothing goes out */
    if (time_now_ns() >= deadline_ns)
        rtl8139_fault(card, "packets not sent within 2 s, descriptors of them", unsent);
    if (room && card->dev.tx_room)
        card->dev.tx_room(&card->dev, 0);
    return deadline_ns;
}
