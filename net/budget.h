/* SPDX-License-Identifier: MIT
 *
 * How much memory received packets may hold while somebody is to read them.  held: net lock
 */
#pragma once
#include "lib/types.h"

/* Pages of received packets, and how many there may be. */
extern unsigned int net_held_pages, net_budget_pages;

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

/* Of the kernel option; 0: a quarter of the memory that is free at the start. Before it. */
extern unsigned int net_budget_option_kib;
void net_budget_start(void);
