/* SPDX-License-Identifier: MIT
 *
 * A card's life: its thread starts it, receives, follows the link, and starts it anew whenever it
 * did what makes no sense or did nothing for too long; the more often, the later.
 */
#include "kernel/time.h"
#include "lib/log.h"
#include "rtl8139/internal.h"

#define BUDGET       64 /* packets in a row before other threads' turn */
#define BUSY_ROUNDS  8  /* full budgets in a row, after which the program gets its share */
#define PAUSE_MIN_NS (100 * NS_PER_MS)
#define PAUSE_MAX_NS (10 * NS_PER_S)
#define STEADY_NS    (2 * NS_PER_S) /* when it ran for so long all was well */

void rtl8139_fault(struct rtl8139 *card, const char *what, unsigned int value)
{
    if (!card->fault.what)
        card->fault = (struct rtl8139_fault){ what, value };
}

static void look_at_link(struct rtl8139 *card)
{
    bool up = chip_has_link(card);

    if (up == card->dev.up)
        return;
    log_info("%s: the link is %s", card->dev.name, up ? "up" : "down");
    rtl8139_tx_open(card, up);
    netdev_set_link(&card->dev, up);
}

static void act_on(struct rtl8139 *card, uint16_t events)
{
    if (events == INT_GONE || events & INT_SYSTEM) {
        rtl8139_fault(card, "interrupt status", events);
        return;
    }
    if (events & INT_LINK)
        look_at_link(card);
    if (events & INT_TX_ERROR)
        chip_retry(card);
    if (events & (INT_RX_OVERFLOW | INT_FIFO))
        card->rx.overflows++; /* the slots are free again since, or will be */
}

/* As a service of the kernel the thread goes before the program, but not for ever. */
static void be_fair(unsigned int *rounds, bool busy)
{
    if (!busy) {
        if (*rounds >= BUSY_ROUNDS)
            thread_set_priority(current_thread(), PRIORITY_HIGH, false);
        *rounds = 0;
        return;
    }
    if (++*rounds == BUSY_ROUNDS)
        thread_set_priority(current_thread(), PRIORITY_NORMAL, false);
    thread_yield();
}

/* Until something is wrong. */
static void run(struct rtl8139 *card)
{
    unsigned int rounds = 0;

    look_at_link(card);
    while (!card->fault.what) {
        uint64_t deadline_ns = rtl8139_tx_poll(card);
        bool busy = rtl8139_rx_poll(card, BUDGET);

        if (card->fault.what)
            break;
        be_fair(&rounds, busy);
        if (signal_wait(&card->work, busy ? 0 : deadline_ns) == 0)
            act_on(card, chip_take_events(card));
    }
    be_fair(&rounds, false);
}

static void stop(struct rtl8139 *card)
{
    rtl8139_tx_open(card, false);
    if (card->dev.up)
        netdev_set_link(&card->dev, false);
    chip_stop(card);
    rtl8139_tx_close(card);
}

static void live_once(struct rtl8139 *card)
{
    uint64_t started_ns = time_now_ns();
    int rc = rtl8139_rx_open(card);

    card->fault.what = NULL;
    if (rc == 0)
        rc = chip_start(card);
    if (rc == 0)
        run(card);
    else if (!card->pause_ns)
        log_error("%s: not started: %s; trying again", card->dev.name, error_name(rc));
    if (card->fault.what)
        log_error("%s: the card: %s 0x%x: started anew", card->dev.name, card->fault.what,
                  card->fault.value);
    stop(card);
    if (rc)
        rtl8139_rx_close(card);
    if (time_now_ns() - started_ns > STEADY_NS)
        card->pause_ns = 0;
    card->pause_ns = MIN(card->pause_ns * 2 + PAUSE_MIN_NS, PAUSE_MAX_NS);
}

void rtl8139_live(void *arg)
{
    struct rtl8139 *card = arg;

    netdev_add(&card->dev);
    for (;;) {
        live_once(card);
        thread_sleep_until(time_after_ns(card->pause_ns));
    }
}
