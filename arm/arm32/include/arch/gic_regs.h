/* SPDX-License-Identifier: MIT
 *
 * The system registers of a version 3 interrupt controller's CPU interface.
 */
#pragma once

static inline void icc_use_registers(void)
{
    asm volatile("mcr p15, 0, %0, c12, c12, 5\n\tisb" ::"r"(7) : "memory"); /* ICC_SRE */
}

static inline void icc_start(unsigned long priority_mask)
{
    asm volatile("mcr p15, 0, %0, c4, c6, 0\n\t"   /* ICC_PMR */
                 "mcr p15, 0, %1, c12, c12, 7\n\t" /* ICC_IGRPEN1 */
                 "isb" ::"r"(priority_mask),
                 "r"(1)
                 : "memory");
}

static inline unsigned int icc_acknowledge(void)
{
    unsigned int irq;

    asm volatile("mrc p15, 0, %0, c12, c12, 0\n\tdsb sy" : "=r"(irq)::"memory"); /* ICC_IAR1 */
    return irq;
}

static inline void icc_end(unsigned int irq)
{
    asm volatile("mcr p15, 0, %0, c12, c12, 1\n\tisb" ::"r"(irq) : "memory"); /* ICC_EOIR1 */
}

static inline void icc_send(unsigned long what)
{
    asm volatile("mcrr p15, 0, %0, %1, c12\n\tisb" ::"r"(what), "r"(0) : "memory"); /* ICC_SGI1R */
}
