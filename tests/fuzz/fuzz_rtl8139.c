/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the emulated card's driver: the fuzzer plays the card.  Its input is a list of acts (a
 * packet as it should be, any descriptor, any register, an interrupt, time), one of which is done
 * whenever the card's thread would wait; the sender has its turns as acts.
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/time.h"
#include "mm/page.h"
#include "rtl8139/internal.h"
#include "tests/fuzz/guest.h"

#define PAGES 2048
#define PORTS 0xc000

static struct rtl8139 card;
static bool linked;
static unsigned int acts;
static jmp_buf over;

/* --- memory: which pages there are --- */

static void *pages[PAGES];
static unsigned long nr_pages;

/* Freed ones are kept for the next input: the sanitizer takes long to make one. */
static void *kept[PAGES];
static unsigned int nr_kept;

void *page_alloc_zeroed(void)
{
    void *page = nr_kept ? kept[--nr_kept] : aligned_alloc(PAGE_SIZE, PAGE_SIZE);

    MUST(nr_pages < PAGES);
    pages[nr_pages++] = page;
    return memset(page, 0, PAGE_SIZE);
}

void pages_free(void *page, unsigned int order)
{
    unsigned long i = 0;

    MUST(order == 0);
    while (i < nr_pages && pages[i] != page)
        i++;
    MUST(i < nr_pages);
    pages[i] = pages[--nr_pages];
    kept[nr_kept++] = page;
}

void page_get_stats(struct page_stats *stats)
{
    *stats = (struct page_stats){ 16384, 16384 - nr_pages };
}

mfn_t virt_to_mfn(const void *ptr)
{
    return (mfn_t){ (unsigned long)ptr >> PAGE_SHIFT };
}

static bool is_page(uint64_t paddr)
{
    for (unsigned long i = 0; i < nr_pages; i++)
        if ((uint64_t)(unsigned long)pages[i] == (paddr & PAGE_MASK))
            return true;
    return false;
}

/* --- ports: any value, but often a sensible one --- */

static uint32_t port_read(uint16_t port)
{
    MUST(port == 0xcfc || (port >= PORTS && port < PORTS + REGISTERS));
    guest_now_ns += NS_PER_US;
    if (port == 0xcfc)
        return input_u32();
    if (port == PORTS + REG_COMMAND) /* its reset ends, mostly */
        return input_byte() == 0xff ? COMMAND_RESET : 0;
    if (port == PORTS + REG_MEDIA)
        return input_byte() & MEDIA_NO_LINK;
    return input_byte() | (uint32_t)(input_byte() & 1) << 4;
}

static void port_write(uint16_t port)
{
    MUST(port == 0xcf8 || port == 0xcfc || (port >= PORTS && port < PORTS + REGISTERS));
    guest_now_ns += NS_PER_US;
}

uint8_t inb(uint16_t port)
{
    return (uint8_t)port_read(port);
}

uint16_t inw(uint16_t port)
{
    uint32_t value = port_read(port);

    return input_left() && value == 0x5a ? (uint16_t)input_u32() : (uint16_t)value;
}

uint32_t inl(uint16_t port)
{
    return port_read(port);
}

static unsigned int tx_at;

/* Some of what was asked to be sent is, or looks so. */
static void sent(unsigned int count)
{
    for (; count > 0; count--, tx_at++)
        card.rings->tx[tx_at % SLOTS].command &= ~DESC_OWN;
}

void outb(uint16_t port, uint8_t value)
{
    port_write(port);
    if (port == PORTS + REG_COMMAND && value & COMMAND_RESET)
        tx_at = 0;
    if (port == PORTS + REG_TX_POLL && input_byte() != 0xff)
        sent(card.tx.told - card.tx.cons);
}

void outw(uint16_t port, uint16_t value)
{
    (void)value;
    port_write(port);
}

void outl(uint16_t port, uint32_t value)
{
    (void)value;
    port_write(port);
}

int arch_pci_interrupt(unsigned int device, unsigned int pin, struct pci_interrupt *interrupt)
{
    (void)device, (void)pin, (void)interrupt;
    return 0;
}

void other_end_notified(void)
{
}

/* --- threads --- */

void thread_yield(void)
{
}

void thread_set_priority(struct thread *thread, unsigned int priority, bool fifo)
{
    (void)thread, (void)priority, (void)fifo;
}

/* Between two lives, or in the middle of a reset. */
void thread_sleep_until(uint64_t deadline_ns)
{
    guest_now_ns = deadline_ns;
    if (!input_left())
        longjmp(over, 1);
}

/* --- the stack --- */

static void let_go(const struct netdev_packet *packet)
{
    for (unsigned int i = 0; i < packet->nfrags; i++)
        netbuf_put(packet->frag[i].buf);
}

static void receive(struct netdev *dev, unsigned int queue, struct netdev_packet *packet)
{
    const struct netdev_frag *frag = &packet->frag[0];

    MUST(linked && dev == &card.dev && queue == 0);
    MUST(packet->nfrags == 1 && packet->len == frag->len && packet->gso == NETDEV_GSO_NONE);
    MUST(frag->len >= 14 && frag->offset + frag->len <= RX_LENGTH && frag->buf->refs == 1);
    for (unsigned int i = 0; i < SLOTS; i++)
        MUST(card.rx.bufs[i] != frag->buf);
    ((volatile uint8_t *)netbuf_page(frag->buf))[frag->len - 1]++;
    let_go(packet);
}

static void link_changed(struct netdev *dev, bool up)
{
    MUST(dev == &card.dev && up != linked);
    linked = up;
}

static void added(struct netdev *dev)
{
    dev->receive = receive;
    dev->link = link_changed;
}

static void removed(struct netdev *dev)
{
    (void)dev;
}

void network_start(void)
{
}

static void send_something(unsigned int how)
{
    struct netdev_packet packet = { .nfrags = 1 + how % NETDEV_FRAGS_MAX };

    for (unsigned int i = 0; i < packet.nfrags; i++) {
        packet.frag[i] = (struct netdev_frag){ netbuf_alloc(), 100, 60 };
        packet.len += 60;
    }
    if (how == 0xff)
        packet.len = 1600;
    if (card.dev.ops->send(&card.dev, 0, &packet))
        let_go(&packet);
    if (how & 0x20)
        card.dev.ops->flush(&card.dev, 0);
}

/* --- the card --- */

/* What the driver gave it is sound, whatever was done to it before: `fresh` is what it gives now.
 */
static void judge(void)
{
    MUST(card.tx.prod - card.tx.cons <= SLOTS && card.tx.told - card.tx.cons <= SLOTS);
    for (unsigned int i = 0; i < SLOTS; i++) {
        bool used = (i - card.tx.cons) % SLOTS < card.tx.prod - card.tx.cons;

        MUST(used == (card.tx.bufs[i] != NULL));
        MUST(card.rx.next < SLOTS && card.rx.bufs[i] && card.rx.bufs[i]->refs == 1);
    }
}

static void packet_came(unsigned int how)
{
    struct descriptor *desc = &card.rings->rx[card.rx.next];
    uint64_t to = desc->address_low | (uint64_t)desc->address_high << 32;

    MUST(how & 0x80 || is_page(to));
    desc->command = DESC_FIRST | DESC_LAST | (60 + how % 64);
    signal_raise(&card.work);
}

static void act(void)
{
    unsigned int what = input_byte(), how = input_byte();
    struct descriptor *desc =
        what & 0x80 ? &card.rings->tx[how % SLOTS] : &card.rings->rx[how % SLOTS];

    switch (what & 15) {
    case 0:
    case 1:
    case 2:
        packet_came(0x80);
        break;
    case 3: /* all of the ring, and more than once if it is quick */
        for (unsigned int i = 0; i < SLOTS; i++)
            card.rings->rx[i].command = DESC_FIRST | DESC_LAST | (60 + how % 64);
        signal_raise(&card.work);
        break;
    case 4:
        desc->command = input_u32();
        signal_raise(&card.work);
        break;
    case 5:
        desc->tag = desc->address_low = desc->address_high = input_u32();
        break;
    case 6:
        card.rings->rx[card.rx.next].command = input_u32();
        signal_raise(&card.work);
        break;
    case 7:
        sent(how);
        signal_raise(&card.work);
        break;
    case 8:
    case 9:
    case 10:
    case 11:
        send_something(how);
        break;
    case 12:
        guest_now_ns += how * NS_PER_S / 32;
        break;
    default:
        signal_raise(&card.work);
        break;
    }
}

bool other_end_turn(void)
{
    judge();
    if (!input_left() || ++acts > 4000)
        longjmp(over, 1);
    act();
    return true;
}

static void check_nothing_stays(void)
{
    struct netbuf_stats bufs;

    if (linked)
        netdev_set_link(&card.dev, false);
    rtl8139_tx_open(&card, false);
    rtl8139_tx_close(&card);
    rtl8139_rx_close(&card);
    netdev_remove(&card.dev);
    netbuf_get_stats(&bufs);
    MUST(bufs.total == bufs.pooled);
    MUST(nr_pages == bufs.total + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct netdev_listener listener = { added, removed };

    input = (struct input){ data, data + size };
    percpus[0] = &percpu_boot;
    netdev_listen(&listener);
    memset(&card, 0, sizeof(card));
    card.port = PORTS;
    card.pci.device = 4;
    card.dev.ops = &rtl8139_ops;
    card.dev.driver = &card;
    card.rings = page_alloc_zeroed();
    signal_init(&card.work);
    spin_lock_init(&card.tx.lock, LOCK_NET);
    linked = false;
    acts = tx_at = 0;
    if (setjmp(over) == 0)
        rtl8139_live(&card);
    upcalls_enable();
    check_nothing_stays();
    pages_free(card.rings, 0);
    return 0;
}
