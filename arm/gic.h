/* SPDX-License-Identifier: MIT
 *
 * The interrupt controller, version 2 or 3, as far as a domain needs it: interrupts private to a
 * vCPU.  Follows Arm's IHI 0048 and IHI 0069.
 */
#pragma once
#include "lib/types.h"

#define GIC_SPURIOUS 1020 /* numbers from here on are no interrupts */
/* The number in what gic_acknowledge() says: above it version 2 may say which vCPU sent an SGI. */
#define GIC_NUMBER(acknowledged) ((acknowledged)&0x3ff)

struct gic {
    unsigned int version;         /* 2 or 3 */
    volatile char *distributor;   /* a page */
    volatile char *cpu_interface; /* version 2: a page, each vCPU's own behind one address */
};

/* Boot. */
void gic_init(const struct gic *found);
/* On each vCPU, upcalls masked. Version 3: its two pages of the redistributor (control, and SGIs
 * and PPIs), else NULL. */
void gic_init_self(volatile char *control, volatile char *private);
/* Private interrupts of the running vCPU, a bit each. */
void gic_enable(uint32_t irqs);
/* Interrupt `irq`, one of the first 16, to another vCPU or to the running one; what was written
 * before is seen by who takes it. Any context. */
void gic_send(unsigned int vcpu, unsigned int irq);
/* The interrupt that is due, which is active until gic_end() of the very same word. */
unsigned int gic_acknowledge(void);
void gic_end(unsigned int acknowledged);
