/* SPDX-License-Identifier: MIT
 *
 * A PC's ports, a bus, and a card.  What the card does with memory it does as Xen's device model:
 * by frame numbers.
 */
#include "tests/host/fake_pc.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "arch/pci.h"
#include "arch/port.h"
#include "rtl8139/internal.h"
#include "tests/host/fake_xen.h"

struct fake_pci fake_pci[32][8];
struct fake_card fake_card;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* held: lock */
static uint32_t config_address;
static uint16_t status, mask;
static uint8_t command;
static uint64_t rx_ring, tx_ring;
static unsigned int rx_at, tx_at;
static bool pin, edge;
static struct pci_interrupt *handler;

/* --- the bus --- */

static uint32_t *config_word(bool writable)
{
    unsigned int slot = config_address >> 11 & 31, function = config_address >> 8 & 7;
    struct fake_pci *device = &fake_pci[slot][function];
    unsigned int word = (config_address & 0xff) / 4;

    if (!(config_address & 1U << 31) || config_address >> 16 & 0xff || !device->there || word >= 16)
        return NULL;
    return writable ? &device->writable[word] : &device->words[word];
}

void fake_pci_add_card(unsigned int slot, uint32_t id, uint8_t revision, uint16_t ports)
{
    struct fake_pci *device = &fake_pci[slot][0];

    *device = (struct fake_pci){ .there = true };
    device->words[0] = id;
    device->words[1] = 0x02800000; /* status: ones there are cleared by ones */
    device->writable[1] = 0x0407;
    device->words[2] = 0x02000000 | revision;
    device->words[4] = ports | 1u;
    device->writable[4] = 0xffffff00;
    device->words[15] = 0x0100;
}

/* --- the card --- */

static void *memory_at(uint64_t paddr)
{
    char *page = fake_frame_at(paddr >> PAGE_SHIFT);

    return page ? page + (paddr & ~PAGE_MASK) : NULL;
}

static bool is_master(void)
{
    return fake_pci[FAKE_CARD_SLOT][0].words[1] & 4;
}

bool fake_card_runs(void)
{
    return is_master() && command == (COMMAND_RX | COMMAND_TX);
}

uint16_t fake_card_int_mask(void)
{
    return mask;
}

/* The pin as it is to be now. held: lock */
static void drive_pin(void)
{
    bool raised = status & mask && !(fake_pci[FAKE_CARD_SLOT][0].words[1] & 1 << 10);

    edge |= raised && !pin;
    pin = raised;
}

/* Lets go of the lock; a call for each time that the pin was raised, as an edge is. */
static void leave(void)
{
    bool call = edge && handler, enabled;

    edge = false;
    pthread_mutex_unlock(&lock);
    if (!call)
        return;
    enabled = upcalls_enabled();
    if (enabled)
        upcalls_disable();
    handler->fn(handler->arg);
    if (enabled)
        upcalls_enable();
}

void fake_card_raise(uint16_t events)
{
    pthread_mutex_lock(&lock);
    status |= events;
    drive_pin();
    leave();
}

/* held: lock; as all down to fake_card_plug(), but what the test calls */
static void reset(void)
{
    command = fake_card.reset_has_no_end ? COMMAND_RESET : 0;
    status = mask = 0;
    rx_ring = tx_ring = 0;
    rx_at = tx_at = 0;
    fake_card.starts++;
    drive_pin();
}

bool fake_card_receive(const void *frame, size_t len, uint32_t change)
{
    struct descriptor *desc;
    bool taken = false;

    pthread_mutex_lock(&lock);
    desc = fake_card_runs() ? memory_at(rx_ring + rx_at * sizeof(*desc)) : NULL;
    if (desc && desc->command & DESC_OWN && (desc->command & DESC_LENGTH) >= len + CRC) {
        uint64_t to = desc->address_low | (uint64_t)desc->address_high << 32;
        uint32_t last = desc->command & DESC_LAST_IN_RING;

        memcpy(memory_at(to), frame, len);
        memset((char *)memory_at(to) + len, 0xcc, CRC);
        __atomic_store_n(&desc->command,
                         (last | DESC_FIRST | DESC_LAST | (uint32_t)(len + CRC)) ^ change,
                         __ATOMIC_RELEASE);
        rx_at = last ? 0 : rx_at + 1;
        status |= fake_card.silent ? 0 : INT_RX_OK;
        taken = true;
    } else {
        fake_card.lost++;
        status |= INT_RX_OVERFLOW;
    }
    drive_pin();
    leave();
    return taken;
}

/* One descriptor; false: the next is not ours. */
static bool send_next(void)
{
    struct descriptor *desc = memory_at(tx_ring + tx_at * sizeof(*desc));
    uint32_t told = desc ? __atomic_load_n(&desc->command, __ATOMIC_ACQUIRE) : 0;
    size_t len = told & 0xffff;

    if (!(told & DESC_OWN))
        return false;
    if (told & DESC_FIRST)
        fake_card.sent_len = 0;
    memcpy(fake_card.sent_bytes + fake_card.sent_len,
           memory_at(desc->address_low | (uint64_t)desc->address_high << 32), len);
    fake_card.sent_len += len;
    tx_at = told & DESC_LAST_IN_RING ? 0 : tx_at + 1;
    told &= ~DESC_OWN;
    if (told & DESC_LAST) {
        fake_card.sent++;
        status |= fake_card.gives_up ? INT_TX_ERROR : INT_TX_OK;
        told |= fake_card.gives_up ? DESC_TX_ERROR : 0;
    }
    __atomic_store_n(&desc->command, told, __ATOMIC_RELEASE);
    return true;
}

/* held: lock */
static void send_all(void)
{
    while (fake_card_runs() && send_next())
        ;
    drive_pin();
}

void fake_card_send(void)
{
    pthread_mutex_lock(&lock);
    send_all();
    leave();
}

static uint32_t card_read(unsigned int reg)
{
    if (fake_card.gone)
        return ~0U;
    switch (reg) {
    case REG_MAC ... REG_MAC + 5:
        return fake_card.mac[reg];
    case REG_COMMAND:
        return command;
    case REG_INT_STATUS:
        return status;
    case REG_INT_MASK:
        return mask;
    case REG_MEDIA:
        return fake_card.link ? 0 : MEDIA_NO_LINK;
    default:
        return 0;
    }
}

static void card_write(unsigned int reg, uint32_t value)
{
    switch (reg) {
    case REG_COMMAND:
        if (value & COMMAND_RESET)
            reset();
        else
            command = (uint8_t)value;
        break;
    case REG_INT_STATUS: /* down, and up again if there is more: as QEMU does it */
        status &= ~value;
        pin = false;
        drive_pin();
        break;
    case REG_INT_MASK:
        mask = (uint16_t)value;
        drive_pin();
        break;
    case REG_RX_RING:
        rx_ring = (rx_ring & ~0xffffffffULL) | value;
        break;
    case REG_RX_RING + 4:
        rx_ring = (uint32_t)rx_ring | (uint64_t)value << 32;
        break;
    case REG_TX_RING:
        tx_ring = (tx_ring & ~0xffffffffULL) | value;
        break;
    case REG_TX_RING + 4:
        tx_ring = (uint32_t)tx_ring | (uint64_t)value << 32;
        break;
    case REG_TX_POLL:
        fake_card.polls++;
        if (!fake_card.slow)
            send_all();
        break;
    }
}

void fake_card_plug(void)
{
    fake_pci_add_card(FAKE_CARD_SLOT, FAKE_CARD_ID, REVISION_CPLUS, FAKE_CARD_PORTS);
    memcpy(fake_card.mac, "\x00\x16\x3e\x00\x00\x1e", 6);
    fake_card.link = true;
}

/* --- ports --- */

static bool is_card(uint16_t port)
{
    return fake_pci[FAKE_CARD_SLOT][0].there && fake_pci[FAKE_CARD_SLOT][0].words[1] & 1 &&
           port >= FAKE_CARD_PORTS && port < FAKE_CARD_PORTS + REGISTERS;
}

static uint32_t port_read(uint16_t port)
{
    uint32_t value = ~0U, *word = port == 0xcfc ? config_word(false) : NULL;

    pthread_mutex_lock(&lock);
    if (word)
        value = *word;
    else if (is_card(port))
        value = card_read(port - FAKE_CARD_PORTS);
    pthread_mutex_unlock(&lock);
    return value;
}

static void port_write(uint16_t port, uint32_t value)
{
    uint32_t *word = port == 0xcfc ? config_word(false) : NULL;

    pthread_mutex_lock(&lock);
    if (port == 0xcf8)
        config_address = value;
    else if (word)
        *word = (*word & ~*config_word(true)) | (value & *config_word(true));
    else if (is_card(port) && !fake_card.gone)
        card_write(port - FAKE_CARD_PORTS, value);
    leave();
}

FAKE uint8_t inb(uint16_t port)
{
    return (uint8_t)port_read(port);
}

FAKE uint16_t inw(uint16_t port)
{
    return (uint16_t)port_read(port);
}

FAKE uint32_t inl(uint16_t port)
{
    return port_read(port);
}

FAKE void outb(uint16_t port, uint8_t value)
{
    port_write(port, value);
}

FAKE void outw(uint16_t port, uint16_t value)
{
    port_write(port, value);
}

FAKE void outl(uint16_t port, uint32_t value)
{
    port_write(port, value);
}

FAKE int arch_pci_interrupt(unsigned int device, unsigned int number,
                            struct pci_interrupt *interrupt)
{
    if (device != FAKE_CARD_SLOT || number != 1)
        return -XEN_ENODEV;
    handler = interrupt;
    return 0;
}
