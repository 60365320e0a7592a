/* SPDX-License-Identifier: MIT
 *
 * The generic timer.  Follows the Arm Architecture Reference Manual (DDI 0487), D11, and Xen
 * arch/arm/vtimer.c.
 */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arm/clock.h"
#include "arm/interrupt.h"
#include "arch/timer_regs.h"
#include "lib/atomic.h"
#include "lib/panic.h"
#include "lib/percpu.h"

/* Fixed point, 32 bits behind the point, so that no product needs more than 64: */
static struct ratio {
    uint64_t whole, fraction;
} tick_ns, ns_tick;

static void (*expired_fn)(evtchn_port_t port, void *arg);

static struct ratio ratio(uint64_t of, uint64_t to)
{
    return (struct ratio){ of / to, (of % to << 32) / to };
}

static uint64_t scale(uint64_t value, const struct ratio *by)
{
    return value * by->whole + (value >> 32) * by->fraction +
           ((value & 0xffffffff) * by->fraction >> 32);
}

void clock_init(uint32_t frequency_hz)
{
    if (frequency_hz == 0)
        frequency_hz = timer_frequency();
    if (frequency_hz == 0)
        panic("the timer's frequency is not known");
    tick_ns = ratio(NS_PER_S, frequency_hz);
    ns_tick = ratio(frequency_hz, NS_PER_S);
}

uint64_t arch_clock_ns(void)
{
    return scale(cpu_ticks(), &tick_ns);
}

uint64_t arch_xen_deadline_ns(uint64_t from_now_ns)
{
    static uint64_t ahead_ns; /* Xen's clock of ours, as far as was seen */
    uint64_t now_ns = arch_clock_ns();
    uint64_t entered_ns = load_once(&this_percpu()->runstate.state_entry_time);

    if (entered_ns > now_ns && entered_ns - now_ns > load_once(&ahead_ns))
        store_once(&ahead_ns, entered_ns - now_ns);
    return now_ns + load_once(&ahead_ns) + from_now_ns;
}

static void expired(void)
{
    timer_stop(); /* the interrupt is a level */
    expired_fn(0, NULL);
}

int arch_timer_start(void (*fn)(evtchn_port_t port, void *arg))
{
    expired_fn = fn;
    timer_stop();
    interrupt_set_timer(expired);
    return 0;
}

void arch_timer_set(uint64_t deadline_ns)
{
    if (deadline_ns == TIME_NEVER)
        timer_stop();
    else
        timer_start(scale(deadline_ns, &ns_tick) + 1); /* not before it */
}
