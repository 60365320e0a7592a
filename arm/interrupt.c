/* SPDX-License-Identifier: MIT
 *
 * From an interrupt to what it is for.
 */
#include "arm/interrupt.h"
#include "arm/gic.h"
#include "events/events.h"
#include "kernel/ipi.h"
#include "lib/percpu.h"

static unsigned int upcall_irq, timer_irq;
static void (*timer_handler)(void), (*ipi_handlers[IPIS])(void);

void interrupt_init(unsigned int upcall, unsigned int timer)
{
    upcall_irq = upcall;
    timer_irq = timer;
}

void interrupt_enable_self(void)
{
    gic_enable(1U << upcall_irq | 1U << timer_irq | ((1U << IPIS) - 1));
}

void interrupt_set_timer(void (*handler)(void))
{
    timer_handler = handler;
}

void interrupt_set_ipi(unsigned int ipi, void (*handler)(void))
{
    ipi_handlers[ipi] = handler;
}

static void call(void (*handler)(void))
{
    struct percpu *cpu = this_percpu();

    cpu->upcall_depth++;
    handler();
    cpu->upcall_depth--;
}

/* Upcall and timer are levels: what they are for is done before they are ended, or they would come
 * again. An IPI that is sent meanwhile comes once more. */
void arm_interrupt(void)
{
    unsigned int acknowledged = gic_acknowledge(), irq = GIC_NUMBER(acknowledged);

    if (irq == upcall_irq) {
        events_upcall();
    } else if (irq == timer_irq && timer_handler) {
        call(timer_handler);
    } else if (irq < IPIS && ipi_handlers[irq]) {
        call(ipi_handlers[irq]);
    }
    if (irq < GIC_SPURIOUS)
        gic_end(acknowledged);
}
