/* SPDX-License-Identifier: MIT
 *
 * The ports of a PC: a PCI bus with devices, one of which may be a network card, an RTL8139C+ as
 * far as the driver uses it.  A test sets what they are like, and what they lie about.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A function on bus 0. Configuration space reads as these words do, with the masks of what a write
 * changes. */
struct fake_pci {
    bool there;
    uint32_t words[16], writable[16];
};
extern struct fake_pci fake_pci[32][8];
/* An Ethernet card of this kind; its ports, 256 of them, from `ports` on. */
void fake_pci_add_card(unsigned int slot, uint32_t id, uint8_t revision, uint16_t ports);

#define FAKE_CARD_ID    0x813910ec
#define FAKE_CARD_SLOT  4
#define FAKE_CARD_PORTS 0xc100

struct fake_card {
    uint8_t mac[6];
    bool link;
    /* What is wrong with it. */
    bool reset_has_no_end;
    bool gone;     /* all ones */
    bool silent;   /* receives without a word */
    bool slow;     /* sends when fake_card_send() is called, not when it is told */
    bool gives_up; /* on each packet */
    /* What it did. */
    unsigned int starts; /* resets */
    unsigned int lost;   /* packets that found no descriptor */
    unsigned int sent, polls;
    size_t sent_len; /* of the last packet */
    uint8_t sent_bytes[65536];
};
extern struct fake_card fake_card;

/* A card in FAKE_CARD_SLOT, with link and address. */
void fake_card_plug(void);
/* A frame comes in; `command`: bits of the descriptor to change. False: lost. */
bool fake_card_receive(const void *frame, size_t len, uint32_t command);
/* Send what it was told of. */
void fake_card_send(void);
/* These bits of the interrupt status come up. */
void fake_card_raise(uint16_t events);
/* Is it running: receiver, transmitter, bus master? */
bool fake_card_runs(void);
uint16_t fake_card_int_mask(void);
