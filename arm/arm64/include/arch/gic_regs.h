/* SPDX-License-Identifier: MIT
 *
 * The system registers of a version 3 interrupt controller's CPU interface.
 */
#pragma once

static inline void icc_use_registers(void)
{
    asm volatile("msr S3_0_C12_C12_5, %0\n\tisb" ::"r"(7UL) : "memory"); /* ICC_SRE_EL1 */
}

static inline void icc_start(unsigned long priority_mask)
{
    asm volatile("msr S3_0_C4_C6_0, %0\n\t"   /* ICC_PMR_EL1 */
                 "msr S3_0_C12_C12_7, %1\n\t" /* ICC_IGRPEN1_EL1 */
                 "isb" ::"r"(priority_mask),
                 "r"(1UL)
                 : "memory");
}

static inline unsigned int icc_acknowledge(void)
{
    unsigned long irq;

    asm volatile("mrs %0, S3_0_C12_C12_0\n\tdsb sy" : "=r"(irq)::"memory"); /* ICC_IAR1_EL1 */
    return (unsigned int)irq;
}

static inline void icc_end(unsigned int irq)
{
    asm volatile("msr S3_0_C12_C12_1, %0\n\tisb" ::"r"((unsigned long)irq) : "memory"); /* EOIR1 */
}

static inline void icc_send(unsigned long what)
{
    asm volatile("msr S3_0_C12_C11_5, %0\n\tisb" ::"r"(what) : "memory"); /* ICC_SGI1R_EL1 */
}
