/* SPDX-License-Identifier: MIT
 *
 * All of the FPU's registers at once, as no compiler uses them.
 */
#pragma once
#include <stdint.h>

#if defined(__x86_64__)
#define REGISTER_BYTES 256 /* xmm0 to xmm15 */
#elif defined(__aarch64__)
#define REGISTER_BYTES 512 /* v0 to v31 */
#else
#define REGISTER_BYTES 256 /* d0 to d31 */
#endif

/* Loads every register from `in`, counts to `turns`, and stores them to `out`. */
static inline void registers_hold(const uint8_t *in, uint8_t *out, unsigned long turns)
{
#if defined(__x86_64__)
#define ALL(x)   x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11) x(12) x(13) x(14) x(15)
#define LOAD(n)  "movups " #n "*16(%1), %%xmm" #n "\n"
#define STORE(n) "movups %%xmm" #n ", " #n "*16(%2)\n"
    __asm__ volatile(ALL(LOAD) "1: dec %0\n jnz 1b\n" ALL(STORE)
                     : "+r"(turns)
                     : "r"(in), "r"(out)
                     : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                       "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                       "xmm15");
#elif defined(__aarch64__)
#define ALL(x)                                                                                     \
    x(0, 1) x(2, 3) x(4, 5) x(6, 7) x(8, 9) x(10, 11) x(12, 13) x(14, 15) x(16, 17) x(18, 19)      \
        x(20, 21) x(22, 23) x(24, 25) x(26, 27) x(28, 29) x(30, 31)
#define LOAD(a, b)  "ldp q" #a ", q" #b ", [%1, #" #a "*16]\n"
#define STORE(a, b) "stp q" #a ", q" #b ", [%2, #" #a "*16]\n"
    __asm__ volatile(ALL(LOAD) "1: subs %0, %0, #1\n b.ne 1b\n" ALL(STORE)
                     : "+r"(turns)
                     : "r"(in), "r"(out)
                     : "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9",
                       "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20",
                       "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
#else
    /* The upper half is NEON's, which the compiler is told nothing of. */
    __asm__ volatile(".fpu neon-vfpv4\n"
                     "vldmia %1!, {d0-d15}\n vldmia %1, {d16-d31}\n"
                     "1: subs %0, %0, #1\n bne 1b\n"
                     "vstmia %2!, {d0-d15}\n vstmia %2, {d16-d31}\n"
                     ".fpu vfpv4-d16\n"
                     : "+r"(turns), "+r"(in), "+r"(out)
                     :
                     : "memory", "cc", "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9",
                       "d10", "d11", "d12", "d13", "d14", "d15");
#endif
}
