/* SPDX-License-Identifier: MIT
 *
 * Waiting for a spinlock.  The holder may be a vCPU that Xen is not running, and it may get the
 * physical CPU that we spin on.  SCHEDOP_yield gives that away for no time at all when nobody else
 * waits for this very CPU; SCHEDOP_poll without ports, a sleep, lets the holder have it.  (8 vCPUs
 * on 2 CPUs, one lock: half the time and a twentieth of the hypercalls of yielding.  A kick by who
 * unlocks gained nothing over sleeps this short, and would make each unlock look.)
 * Xen public/sched.h.
 */
#include "arch/clock.h"
#include "lib/spinlock.h"
#include "lib/types.h"

#define SLEEP_MIN_NS (16 * NS_PER_US)
#define SLEEP_MAX_NS (256 * NS_PER_US)

void spin_while(const uint32_t *busy)
{
    uint64_t sleep_ns = SLEEP_MIN_NS;

    for (unsigned int turn = 0; load_once(busy); turn++) {
        if (turn < SPIN_BEFORE_YIELD) {
            cpu_relax();
        } else {
            hypercall_sched_poll(NULL, 0, arch_xen_deadline_ns(sleep_ns));
            sleep_ns = MIN(2 * sleep_ns, SLEEP_MAX_NS);
        }
    }
}

__attribute__((cold)) void spin_lock_wait(spinlock_t *lock)
{
    do {
        spin_while(&lock->held);
    } while (atomic_exchange(&lock->held, 1));
}
