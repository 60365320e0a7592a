/* SPDX-License-Identifier: MIT
 *
 * Console output in bulk: `flood N` writes N numbered lines of 64 bytes and returns, `flood`
 * alone goes on for ever.  The lines are told by their number alone, so that whoever reads can
 * make them again and compare.
 */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : (unsigned long)-1;

    for (unsigned long n = 0; n < count; n++)
        printf("line %08lu abcdefghijklmnopqrstuvwxyz 0123456789 %011lu\n", n, n * 7919 % 99999989);
    return 0;
}
