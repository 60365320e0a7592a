/* SPDX-License-Identifier: MIT
 *
 * How much memory packets may hold that wait for somebody: received ones for the program, sent ones
 * for the other side.  held: net lock
 */
#pragma once
#include "lib/types.h"
#include "mm/page.h"

/* Pages of received packets, those of sent ones, and how many there may be of each. */
extern unsigned int net_held_pages, net_sent_pages, net_budget_pages;

/* Half of it is held: what nobody need have (fragments, what came out of order) is not taken in. */
static inline bool net_budget_is_tight(void)
{
    return net_held_pages > net_budget_pages / 2;
}

/* It is tight. May somebody who holds `own` of the pages take in what just came, which is counted
 * already? Each may have a quarter of what is left for all, so greedy ones are refused one after
 * the other; the last eighth is for those who have nothing. */
static inline bool net_budget_allows(unsigned int own)
{
    unsigned int budget = own ? net_budget_pages - net_budget_pages / 8 : net_budget_pages;

    return 4 * own + net_held_pages <= budget;
}

/* How much somebody who has `own` bytes on their way may send more. Who has nothing on its way may
 * always send a page: so nobody waits for others. */
static inline size_t net_budget_to_send(size_t own)
{
    unsigned int left = net_budget_pages - MIN(net_sent_pages, net_budget_pages);
    size_t share = left / 4 * PAGE_SIZE;

    if (left >= net_budget_pages / 2)
        return SIZE_MAX;
    return own < share ? share - own : own ? 0 : PAGE_SIZE;
}
static inline bool net_budget_is_tight_to_send(void)
{
    return net_sent_pages > net_budget_pages / 2;
}

/* Of the kernel option; 0: a quarter of the memory that is free at the start. Before it. */
extern unsigned int net_budget_option_kib;
void net_budget_start(void);
