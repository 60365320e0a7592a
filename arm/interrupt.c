/* SPDX-License-Identifier: MIT
 *
 * From an interrupt to what it is for.
 */
#include "arm/interrupt.h"
#include "arm/gic.h"
#include "events/events.h"
#include "lib/percpu.h"

static unsigned int upcall_irq, timer_irq;
static void (*timer_handler)(void);

void interrupt_init(unsigned int upcall, unsigned int timer)
{
    upcall_irq = upcall;
    timer_irq = timer;
}

void interrupt_enable_self(void)
{
    gic_enable(upcall_irq);
    gic_enable(timer_irq);
}

void interrupt_set_timer(void (*handler)(void))
{
    timer_handler = handler;
}

/* Both are levels: what they are for is done before they are ended, or they would come again. */
void arm_interrupt(void)
{
    unsigned int irq = gic_acknowledge();

    if (irq == upcall_irq) {
        events_upcall();
    } else if (irq == timer_irq && timer_handler) {
        struct percpu *cpu = this_percpu();

        cpu->upcall_depth++;
        timer_handler();
        cpu->upcall_depth--;
    }
    if (irq < GIC_SPURIOUS)
        gic_end(irq);
}
