/* SPDX-License-Identifier: MIT
 *
 * What a compiler may call without a library.
 */
#include <stddef.h>
#include <string.h>

void *memcpy(void *to, const void *from, size_t len)
{
    char *out = to;
    const char *in = from;

    while (len--)
        *out++ = *in++;
    return to;
}

void *memset(void *at, int value, size_t len)
{
    char *out = at;

    while (len--)
        *out++ = (char)value;
    return at;
}
