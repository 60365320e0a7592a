/* SPDX-License-Identifier: MIT
 *
 * Receiving.  A buffer lies in each slot all the time: who takes a packet out puts a fresh one in,
 * or, when memory is out, drops the packet and leaves the old one.  The chip has no means to hold
 * the sender back; what finds no free slot is lost, which it counts and we do.
 */
#include "lib/atomic.h"
#include "mm/page.h"
#include "rtl8139/internal.h"

#define HEADER 14 /* Ethernet's */

static void give(struct rtl8139 *card, unsigned int slot)
{
    struct descriptor *desc = &card->rings->rx[slot];
    uint64_t paddr = virt_to_mfn(netbuf_page(card->rx.bufs[slot])).n << PAGE_SHIFT;

    store_once(&desc->tag, 0);
    store_once(&desc->address_low, (uint32_t)paddr);
    store_once(&desc->address_high, (uint32_t)(paddr >> 32));
    store_release(&desc->command, /* the last: from here on it is the chip's */
                  DESC_OWN | (slot == SLOTS - 1 ? DESC_LAST_IN_RING : 0) | RX_LENGTH);
}

int rtl8139_rx_open(struct rtl8139 *card)
{
    struct rx *rx = &card->rx;

    for (unsigned int i = 0; i < SLOTS; i++) {
        if (!rx->bufs[i])
            rx->bufs[i] = netbuf_alloc();
        if (!rx->bufs[i])
            return -XEN_ENOMEM;
        give(card, i);
    }
    rx->next = 0;
    return 0;
}

void rtl8139_rx_close(struct rtl8139 *card)
{
    for (unsigned int i = 0; i < SLOTS; i++) {
        if (card->rx.bufs[i])
            netbuf_put(card->rx.bufs[i]);
        card->rx.bufs[i] = NULL;
    }
}

/* Of a descriptor's copy: is it a packet? */
static bool judge(struct rtl8139 *card, uint32_t command)
{
    const uint32_t whole = DESC_FIRST | DESC_LAST;
    unsigned int len = command & DESC_LENGTH;

    if (command & DESC_RX_ERROR)
        return false;
    if ((command & whole) != whole)
        rtl8139_fault(card, "part of a packet in rx descriptor", command);
    else if (len > RX_LENGTH)
        rtl8139_fault(card, "rx length", len);
    else
        return len >= HEADER + CRC;
    return false;
}

static void hand_up(struct rtl8139 *card, struct netbuf *buf, unsigned int len)
{
    struct netdev *dev = &card->dev;
    struct netdev_packet packet = { .nfrags = 1,
                                    .len = len,
                                    .frag = { { buf, 0, (uint16_t)len } } };

    card->rx.packets++;
    if (dev->receive && dev->up)
        dev->receive(dev, 0, &packet);
    else
        netbuf_put(buf);
}

/* False: the next packet has not come. */
static bool take(struct rtl8139 *card)
{
    struct rx *rx = &card->rx;
    unsigned int slot = rx->next;
    uint32_t command = load_acquire(&card->rings->rx[slot].command); /* judged is the copy */
    struct netbuf *full = rx->bufs[slot], *fresh = NULL;
    bool good;

    if (command & DESC_OWN)
        return false;
    good = judge(card, command);
    if (card->fault.what) /* found here, or by the sender's side before */
        return false;
    if (good)
        fresh = netbuf_alloc();
    rx->next = (slot + 1) % SLOTS;
    if (fresh)
        rx->bufs[slot] = fresh;
    else
        rx->dropped++;
    give(card, slot);
    if (fresh)
        hand_up(card, full, (command & DESC_LENGTH) - CRC);
    return true;
}

bool rtl8139_rx_poll(struct rtl8139 *card, unsigned int budget)
{
    struct netdev *dev = &card->dev;
    uint64_t packets = card->rx.packets;

    while (budget > 0 && take(card))
        budget--;
    if (card->rx.packets != packets && dev->batch_end)
        dev->batch_end(dev, 0);
    return budget == 0;
}
