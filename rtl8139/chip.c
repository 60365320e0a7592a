/* SPDX-License-Identifier: MIT
 *
 * The chip's registers: starting it, stopping it, what it has to say.
 */
#include "arch/page.h"
#include "kernel/time.h"
#include "rtl8139/internal.h"

#define RESET_NS      (100 * NS_PER_MS)
#define RESET_LOOK_NS NS_PER_MS

static int reset(const struct rtl8139 *card)
{
    uint64_t deadline_ns = time_after_ns(RESET_NS);

    outb(card->port + REG_COMMAND, COMMAND_RESET);
    while (inb(card->port + REG_COMMAND) & COMMAND_RESET) {
        if (time_now_ns() >= deadline_ns)
            return -XEN_ETIMEDOUT;
        thread_sleep_until(time_after_ns(RESET_LOOK_NS));
    }
    return 0;
}

static void set_ring(const struct rtl8139 *card, unsigned int reg, const struct descriptor *ring)
{
    uint64_t paddr = (virt_to_mfn(ring).n << PAGE_SHIFT) + ((unsigned long)ring & ~PAGE_MASK);

    outl(card->port + reg, (uint32_t)paddr);
    outl(card->port + reg + 4, (uint32_t)(paddr >> 32));
}

int chip_start(struct rtl8139 *card)
{
    int rc;

    pci_enable(&card->pci);
    rc = reset(card);
    if (rc)
        return rc;
    outw(card->port + REG_CPLUS, CPLUS_ON); /* first: it decides what other registers mean */
    set_ring(card, REG_RX_RING, card->rings->rx);
    set_ring(card, REG_TX_RING, card->rings->tx);
    outb(card->port + REG_COMMAND, COMMAND_RX | COMMAND_TX);
    outb(card->port + REG_TX_EARLY, TX_EARLY_NEVER);
    outl(card->port + REG_TX_CONFIG, TX_CONFIG);
    outl(card->port + REG_RX_CONFIG, RX_CONFIG);
    outl(card->port + REG_MULTICAST, ~0U);
    outl(card->port + REG_MULTICAST + 4, ~0U);
    outw(card->port + REG_INT_STATUS, 0xffff);
    card->int_mask = INT_WANTED;
    outw(card->port + REG_INT_MASK, card->int_mask);
    return 0;
}

void chip_stop(struct rtl8139 *card)
{
    outw(card->port + REG_INT_MASK, 0);
    outb(card->port + REG_COMMAND, 0);
    pci_disable(&card->pci);
}

/* Acknowledged before anybody acts on it: what comes from here on raises the pin anew. */
uint16_t chip_take_events(struct rtl8139 *card)
{
    uint16_t events = inw(card->port + REG_INT_STATUS);

    if (events)
        outw(card->port + REG_INT_STATUS, events);
    return events;
}

void chip_want_tx_events(struct rtl8139 *card, bool wanted)
{
    uint16_t mask = INT_WANTED | (wanted ? INT_TX_OK : 0);

    if (mask != card->int_mask)
        outw(card->port + REG_INT_MASK, mask);
    card->int_mask = mask;
}

bool chip_has_link(const struct rtl8139 *card)
{
    return !(inb(card->port + REG_MEDIA) & MEDIA_NO_LINK);
}

void chip_send(const struct rtl8139 *card)
{
    outb(card->port + REG_TX_POLL, TX_POLL_NORMAL);
}

void chip_retry(const struct rtl8139 *card)
{
    outl(card->port + REG_TX_CONFIG, TX_CONFIG | TX_CONFIG_RETRY);
    chip_send(card);
}

void chip_read_mac(const struct rtl8139 *card, uint8_t mac[6])
{
    for (unsigned int i = 0; i < 6; i++)
        mac[i] = inb(card->port + REG_MAC + i);
}
