/* SPDX-License-Identifier: MIT
 *
 * Version 2 has registers in memory; version 3 has a redistributor for each vCPU in memory, and the
 * rest in system registers.
 */
#include "arm/gic.h"
#include "arch/gic_regs.h"
#include "lib/percpu.h"

#define GICD_CTLR        0x000
#define GICD_CTLR_ENABLE (1 << 0 | 1 << 1) /* both groups; one of them does not exist for us */
#define GICD_CTLR_ARE    (1 << 4)
#define GICD_SGIR        0xf00
/* Here and in a redistributor's second page. */
#define GIC_IGROUPR    0x080
#define GIC_ISENABLER  0x100
#define GIC_IPRIORITYR 0x400

#define GICC_CTLR 0x00
#define GICC_PMR  0x04
#define GICC_IAR  0x0c
#define GICC_EOIR 0x10

#define GICR_WAKER        0x14
#define GICR_WAKER_SLEEP  (1 << 1)
#define GICR_WAKER_ASLEEP (1 << 2)
#define WAKE_TURNS        100000
#define PRIORITIES_OF_4   0xa0a0a0a0
#define PRIORITY_MASK     0xff /* nothing is masked by it */

static struct gic gic;
static volatile char *private_page[MAX_VCPUS]; /* version 3: of each vCPU's redistributor */

static uint32_t read32(const volatile char *base, unsigned int offset)
{
    return *(const volatile uint32_t *)(base + offset);
}

static void write32(volatile char *base, unsigned int offset, uint32_t value)
{
    *(volatile uint32_t *)(base + offset) = value;
}

void gic_init(const struct gic *found)
{
    gic = *found;
    write32(gic.distributor, GICD_CTLR, gic.version == 2 ? 1 : GICD_CTLR_ENABLE | GICD_CTLR_ARE);
}

static void wake(volatile char *control)
{
    write32(control, GICR_WAKER, read32(control, GICR_WAKER) & ~GICR_WAKER_SLEEP);
    for (unsigned int turn = 0; turn < WAKE_TURNS; turn++)
        if (!(read32(control, GICR_WAKER) & GICR_WAKER_ASLEEP))
            break;
}

void gic_init_self(volatile char *control, volatile char *private)
{
    if (gic.version == 2) {
        write32(gic.cpu_interface, GICC_PMR, PRIORITY_MASK);
        write32(gic.cpu_interface, GICC_CTLR, 1);
        return;
    }
    private_page[this_percpu()->vcpu] = private;
    icc_use_registers();
    wake(control);
    write32(private, GIC_IGROUPR, ~0U); /* group 1 is what a guest gets */
    icc_start(PRIORITY_MASK);
}

/* One priority for all; each write is a trap. */
void gic_enable(uint32_t irqs)
{
    volatile char *base = gic.version == 2 ? gic.distributor : private_page[this_percpu()->vcpu];

    for (unsigned int irq = 0; irq < 32; irq += 4)
        if (irqs >> irq & 0xf)
            write32(base, GIC_IPRIORITYR + irq, PRIORITIES_OF_4);
    write32(base, GIC_ISENABLER, irqs);
}

void gic_send(unsigned int vcpu, unsigned int irq)
{
    asm volatile("dsb ishst" ::: "memory");
    if (gic.version == 2)
        write32(gic.distributor, GICD_SGIR, 1U << (16 + vcpu) | irq);
    else
        icc_send(irq << 24 | vcpu >> 4 << 16 | 1U << (vcpu & 0xf)); /* by affinity: arm/smp.c */
}

unsigned int gic_acknowledge(void)
{
    return gic.version == 2 ? read32(gic.cpu_interface, GICC_IAR) : icc_acknowledge();
}

void gic_end(unsigned int acknowledged)
{
    if (gic.version == 2)
        write32(gic.cpu_interface, GICC_EOIR, acknowledged);
    else
        icc_end(acknowledged);
}
