/* SPDX-License-Identifier: MIT
 *
 * Numbers from the counter.
 */
#include "arm/random.h"
#include "arch/cpu.h"
#include "lib/atomic.h"

/* A bijection that spreads each bit of its input over the result (the finisher of splitmix64). */
static uint64_t stir(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

uint64_t arm_random_from_counter(void)
{
    static uint64_t counter;

    return stir(cpu_ticks() + atomic_fetch_add(&counter, 0x9e3779b97f4a7c15));
}
