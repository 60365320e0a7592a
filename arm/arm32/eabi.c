/* SPDX-License-Identifier: MIT
 *
 * What the compiler's library asks for by name (Run-time ABI for the Arm Architecture, IHI 0043),
 * so that it need not bring its own, with an unwinder behind it.
 */
#include "lib/panic.h"

void __aeabi_unwind_cpp_pr0(void);
void __aeabi_unwind_cpp_pr1(void);
int __aeabi_idiv0(int result);
long long __aeabi_ldiv0(long long result);

/* Nobody unwinds. */
void __aeabi_unwind_cpp_pr0(void)
{
}

void __aeabi_unwind_cpp_pr1(void)
{
}

/* Of 64-bit numbers; the CPU's own division gives 0, as these say too. */
int __aeabi_idiv0(int result)
{
    return result;
}

long long __aeabi_ldiv0(long long result)
{
    return result;
}
