/* SPDX-License-Identifier: MIT
 *
 * newlib's statistics of malloc, with what libc/malloc.c keeps counted as free: it is given back
 * first.  All functions that newlib has in one file are here, so that this one stands for it.
 */
#include <malloc.h>
#include <reent.h>
#include <stdio.h>
#include "libc/internal.h"

struct mallinfo mallinfo(void)
{
    libc_malloc_gather();
    return _mallinfo_r(_REENT);
}

void malloc_stats(void)
{
    libc_malloc_gather();
    _malloc_stats_r(_REENT);
}

void _mstats_r(struct _reent *reent, char *title)
{
    (void)reent;
    fprintf(stderr, "Memory allocation statistics %s\n", title);
    malloc_stats();
}

void mstats(char *title)
{
    _mstats_r(_REENT, title);
}

int mallopt(int parameter, int value)
{
    return _mallopt_r(_REENT, parameter, value);
}
