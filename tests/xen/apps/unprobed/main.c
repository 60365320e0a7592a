/* SPDX-License-Identifier: MIT
 *
 * A stack overflow that no compiler has foreseen: assembly that pushes until something stops it.  A
 * PV guest takes its page faults on the same stack, so that Xen may find no room for the frame.
 */
#include <stdio.h>

int main(void)
{
    printf("unprobed: goes down on Enter\n"); /* Xen's end is a sudden one: be heard first */
    getchar();
    asm volatile("1: push %rax\n\tjmp 1b");
    return 0;
}
