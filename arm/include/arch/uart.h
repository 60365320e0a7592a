/* SPDX-License-Identifier: MIT
 *
 * The serial port of a PC: here is none.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <xen/errno.h>

static inline int uart_open(uint16_t port)
{
    (void)port;
    return -XEN_ENODEV;
}

static inline void uart_write(const char *text, size_t len)
{
    (void)text;
    (void)len;
}

static inline int uart_read(void)
{
    return -1;
}
