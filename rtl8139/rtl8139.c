/* SPDX-License-Identifier: MIT
 *
 * Finding the cards.
 */
#include "rtl8139/rtl8139.h"
#include <string.h>
#include "lib/log.h"
#include "mm/kmem.h"
#include "mm/page.h"
#include "rtl8139/internal.h"

#define VENDOR 0x10ec
#define DEVICE 0x8139

static struct rtl8139 *cards; /* each lives for ever; written by rtl8139_start() only */
static unsigned int nr_cards;

/* In an upcall. */
static void card_event(void *arg)
{
    struct rtl8139 *card = arg;

    signal_raise(&card->work);
}

static bool is_mac(const uint8_t mac[6])
{
    static const uint8_t none[6];

    return !(mac[0] & 1) && memcmp(mac, none, sizeof(none)) != 0;
}

/* Nothing of it is used yet, and the firmware may have used it before. */
static int prepare(struct rtl8139 *card)
{
    struct netdev *dev = &card->dev;
    int rc = pci_io_ports(&card->pci, 0, REGISTERS, &card->port);

    if (rc)
        return rc;
    pci_enable(&card->pci);
    chip_stop(card);
    chip_read_mac(card, dev->mac);
    if (!is_mac(dev->mac))
        return -XEN_EINVAL;
    format_text(dev->name, sizeof(dev->name), "rtl%u", nr_cards);
    dev->ops = &rtl8139_ops;
    dev->driver = card;
    dev->features = (struct netdev_features){ .sg = true, .mtu = 1500, .queues = 1 };
    spin_lock_init(&card->tx.lock, LOCK_NET);
    signal_init(&card->work);
    card->rings = page_alloc_zeroed();
    if (!card->rings)
        return -XEN_ENOMEM;
    rtl8139_tx_close(card);
    card->interrupt = (struct pci_interrupt){ .fn = card_event, .arg = card };
    return pci_interrupt(&card->pci, &card->interrupt);
}

/* On vCPU 0, where its interrupts come; that one is always there. */
static int start_thread(struct rtl8139 *card)
{
    struct vcpu_set affinity = { { 0 } };
    struct thread_options options = {
        .name = card->dev.name,
        .stack_order = THREAD_STACK_ORDER,
        .priority = PRIORITY_HIGH,
        .affinity = &affinity,
    };
    struct thread *thread;
    int rc;

    vcpu_set_add(&affinity, 0);
    rc = thread_create_with(&thread, &options, rtl8139_live, card);
    if (rc == 0)
        thread_detach(thread);
    return rc;
}

static void add(const struct pci_device *device)
{
    struct rtl8139 *card = kmem_alloc(sizeof(*card));
    int rc = card ? 0 : -XEN_ENOMEM;

    if (rc == 0) {
        card->pci = *device;
        rc = prepare(card);
        if (rc) {
            pages_free(card->rings, 0);
            kmem_free(card);
        } else {
            rc = start_thread(card); /* from here on interrupts know it: it stays */
        }
    }
    if (rc) {
        log_error("rtl8139: the card in slot %u is not used: %s", device->device, error_name(rc));
        return;
    }
    log_info("%s: RTL8139C+ in slot %u, ports from 0x%x on", card->dev.name, device->device,
             card->port);
    card->next = cards;
    cards = card;
    nr_cards++;
}

static void found(const struct pci_device *device, void *arg)
{
    (void)arg;
    if (device->class_code >> 8 != PCI_CLASS_ETHERNET)
        return;
    if (device->vendor == VENDOR && device->id == DEVICE && device->revision >= REVISION_CPLUS)
        add(device);
    else
        log_warn("pci: the network card in slot %u, %04x:%04x revision 0x%02x, has no driver here; "
                 "model=rtl8139 has one",
                 device->device, device->vendor, device->id, device->revision);
}

unsigned int rtl8139_start(void)
{
    pci_scan(found, NULL);
    return nr_cards;
}

bool rtl8139_has(const uint8_t mac[6])
{
    for (const struct rtl8139 *card = cards; card; card = card->next)
        if (memcmp(card->dev.mac, mac, sizeof(card->dev.mac)) == 0)
            return true;
    return false;
}
