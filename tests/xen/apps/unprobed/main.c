/* SPDX-License-Identifier: MIT
 *
 * A stack overflow that no compiler has foreseen: assembly that pushes until something stops it.  A
 * PV guest takes its page faults on the same stack, so that Xen may find no room for the frame.
 */
#include <stdio.h>

#ifdef __x86_64__
#define PUSH_FOR_EVER "1: push %rax\n\tjmp 1b"
#elif defined(__aarch64__)
#define PUSH_FOR_EVER "1: str x0, [sp, #-16]!\n\tb 1b"
#else
#define PUSH_FOR_EVER "1: push {r0}\n\tb 1b"
#endif

int main(void)
{
    printf("unprobed: goes down on Enter\n"); /* Xen's end is a sudden one: be heard first */
    getchar();
    asm volatile(PUSH_FOR_EVER);
    return 0;
}
