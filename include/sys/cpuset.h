/* SPDX-License-Identifier: MIT
 *
 * Sets of vCPUs as programs for Linux know them: for pthread_setaffinity_np() and its like.
 */
#ifndef _SYS_CPUSET_H_
#define _SYS_CPUSET_H_

#define CPU_SETSIZE 128

typedef struct {
    unsigned long __bits[CPU_SETSIZE / (8 * sizeof(unsigned long))];
} cpu_set_t;

#define __CPU_WORD(cpu) ((cpu) / (8 * sizeof(unsigned long)))
#define __CPU_BIT(cpu)  (1UL << (cpu) % (8 * sizeof(unsigned long)))
#define __CPU_OK(cpu)   ((unsigned long)(cpu) < CPU_SETSIZE)

#define CPU_ZERO(set) ((void)__builtin_memset((set), 0, sizeof(cpu_set_t)))
#define CPU_SET(cpu, set)                                                                          \
    ((void)(__CPU_OK(cpu) ? ((set)->__bits[__CPU_WORD(cpu)] |= __CPU_BIT(cpu)) : 0))
#define CPU_CLR(cpu, set)                                                                          \
    ((void)(__CPU_OK(cpu) ? ((set)->__bits[__CPU_WORD(cpu)] &= ~__CPU_BIT(cpu)) : 0))
#define CPU_ISSET(cpu, set)                                                                        \
    (__CPU_OK(cpu) && ((set)->__bits[__CPU_WORD(cpu)] & __CPU_BIT(cpu)) != 0)
#define CPU_EQUAL(one, other) (__builtin_memcmp((one), (other), sizeof(cpu_set_t)) == 0)
#define CPU_COUNT(set)        __xenolith_cpu_count(set)

static __inline__ int __xenolith_cpu_count(const cpu_set_t *set)
{
    int count = 0;

    for (unsigned int word = 0; word < sizeof(set->__bits) / sizeof(set->__bits[0]); word++)
        count += __builtin_popcountl(set->__bits[word]);
    return count;
}

#endif
