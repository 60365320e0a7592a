/* SPDX-License-Identifier: MIT
 *
 * What the files of the driver share: a card, its registers, its two rings of descriptors in the
 * form the chip calls C+.  Private to rtl8139/.
 *
 * A card's thread, on vCPU 0 as its interrupts, receives and looks after the card.  Sending is done
 * by whoever has something to send, under the card's lock.
 */
#pragma once
#include "arch/port.h"
#include "kernel/thread.h"
#include "kernel/wait.h"
#include "lib/spinlock.h"
#include "net/netdev.h"
#include "pci/pci.h"
#include "rtl8139/rtl8139.h"

/* Registers, and their widths in bytes. */
#define REG_MAC        0x00 /* 6 of 1 */
#define REG_MULTICAST  0x08 /* 4, two: a bit for each value of a hash */
#define REG_TX_RING    0x20 /* 4, two: low and high half */
#define REG_COMMAND    0x37 /* 1 */
#define REG_INT_MASK   0x3c /* 2 */
#define REG_INT_STATUS 0x3e /* 2; ones written are cleared */
#define REG_TX_CONFIG  0x40 /* 4 */
#define REG_RX_CONFIG  0x44 /* 4 */
#define REG_MEDIA      0x58 /* 1 */
#define REG_TX_POLL    0xd9 /* 1 */
#define REG_CPLUS      0xe0 /* 2 */
#define REG_RX_RING    0xe4 /* 4, two */
#define REG_TX_EARLY   0xec /* 1 */
#define REGISTERS      0x100

#define COMMAND_RESET (1 << 4)
#define COMMAND_RX    (1 << 3)
#define COMMAND_TX    (1 << 2)

#define INT_RX_OK       (1 << 0)
#define INT_RX_ERROR    (1 << 1)
#define INT_TX_OK       (1 << 2)
#define INT_TX_ERROR    (1 << 3)
#define INT_RX_OVERFLOW (1 << 4) /* no descriptor was the chip's */
#define INT_LINK        (1 << 5)
#define INT_FIFO        (1 << 6) /* the memory was too slow */
#define INT_SYSTEM      (1 << 15)
#define INT_GONE        0xffff /* there is no card any more */
#define INT_WANTED                                                                                 \
    (INT_RX_OK | INT_RX_ERROR | INT_RX_OVERFLOW | INT_FIFO | INT_TX_ERROR | INT_LINK | INT_SYSTEM)

#define TX_CONFIG_RETRY (1 << 0)           /* go on after a packet that was given up */
#define TX_CONFIG       (3 << 24 | 6 << 8) /* gaps as the standard wants, bursts of 1 KiB */
#define RX_CONFIG                                                                                  \
    (7 << 13 | 7 << 8 | 1 << 3 | 1 << 2 | 1 << 1) /* any burst; broadcasts, multicasts, ours */
#define MEDIA_NO_LINK  (1 << 2)
#define TX_POLL_NORMAL (1 << 6)
#define TX_EARLY_NEVER 0x3f
#define CPLUS_ON       (1 << 4 | 1 << 3 | 1 << 1 | 1 << 0) /* 64-bit addresses, long reads, rx, tx */
#define REVISION_CPLUS 0x20

#define SLOTS     64   /* of each ring, the most that the chip can use */
#define RX_LENGTH 1536 /* of a receive buffer */
#define CRC       4

#define DESC_OWN          (1U << 31) /* the chip's */
#define DESC_LAST_IN_RING (1U << 30)
#define DESC_FIRST        (1U << 29) /* of a packet */
#define DESC_LAST         (1U << 28)
#define DESC_TX_ERROR     (1U << 23)
#define DESC_RX_ERROR     (1U << 20)
#define DESC_LENGTH       0x1fffU

/* Shared with the card. */
struct descriptor {
    uint32_t command, tag;
    uint32_t address_low, address_high;
};

struct rings {
    struct descriptor rx[SLOTS], tx[SLOTS];
};

/* What the card did that it must not, or did not do. */
struct rtl8139_fault {
    const char *what; /* NULL: nothing */
    unsigned int value;
};

struct tx {
    spinlock_t lock;
    /* held: lock */
    bool open;               /* packets are taken */
    bool starved;            /* who was refused wants to be called */
    unsigned int prod, cons; /* descriptors written, and taken back */
    unsigned int told;       /* of those written, up to which the card was told to look */
    uint64_t deadline_ns;    /* until when the next one is to be done; TIME_NEVER: none is due */
    uint64_t packets, errors;
    struct netbuf *bufs[SLOTS]; /* what the card may read */
};

/* The card's thread's own. */
struct rx {
    unsigned int next; /* to be looked at */
    uint64_t packets, dropped, overflows;
    struct netbuf *bufs[SLOTS]; /* what the card may write to: one in each slot, while it runs */
};

struct rtl8139 {
    struct netdev dev;
    struct pci_device pci;
    uint16_t port;
    struct rings *rings;
    struct pci_interrupt interrupt;
    struct signal work; /* an interrupt, or somebody who sends wants the thread to look */
    uint16_t int_mask;
    uint64_t pause_ns; /* before it is started again */
    struct rtl8139_fault fault;
    struct tx tx;
    struct rx rx;
    struct rtl8139 *next; /* the list of cards */
};

/* chip.c; the card's thread */
/* From any state to one where it sends and receives. `rx.bufs` are its own, `tx` is empty. 0;
 * -XEN_ETIMEDOUT: its reset has no end. */
int chip_start(struct rtl8139 *card);
/* It does nothing any more, and cannot reach memory. */
void chip_stop(struct rtl8139 *card);
/* What it has to say since the last time, acknowledged. */
uint16_t chip_take_events(struct rtl8139 *card);
/* Interrupts for packets that are sent, too? */
void chip_want_tx_events(struct rtl8139 *card, bool wanted);
bool chip_has_link(const struct rtl8139 *card);
/* Have it look for packets to send; any context. */
void chip_send(const struct rtl8139 *card);
/* After a packet that it gave up. */
void chip_retry(const struct rtl8139 *card);
void chip_read_mac(const struct rtl8139 *card, uint8_t mac[6]);

/* life.c: the card's thread, for ever. */
void rtl8139_live(void *card);
/* The first one counts. */
void rtl8139_fault(struct rtl8139 *card, const char *what, unsigned int value);

/* rx.c; the card's thread */
/* A buffer for each slot; again, after a stop, those that are there already. 0 or -XEN_ENOMEM. */
int rtl8139_rx_open(struct rtl8139 *card);
void rtl8139_rx_close(struct rtl8139 *card);
/* Hand up what came, at most so many packets. True: there may be more. What makes no sense is a
 * fault. */
bool rtl8139_rx_poll(struct rtl8139 *card, unsigned int budget);

/* tx.c */
extern const struct netdev_ops rtl8139_ops;
/* The card's thread. */
void rtl8139_tx_open(struct rtl8139 *card, bool open);
/* Give back all that was not sent; the card is stopped. */
void rtl8139_tx_close(struct rtl8139 *card);
/* Take back what is sent, tell who waits for room; a fault if nothing was for long. When to look
 * again, at the latest. */
uint64_t rtl8139_tx_poll(struct rtl8139 *card);
