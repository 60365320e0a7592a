/* SPDX-License-Identifier: MIT
 *
 * The serial port of a PC, a 16550: in an HVM domain what `serial=` of xl shows; without Xen, the
 * only one to tell.  Any context; a port that is not there is noticed and left alone.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define UART_COM1 0x3f8

/* 115200 baud, 8 bits. The log goes there from now on too, what was kept of it first. 0;
 * -XEN_ENODEV. */
int uart_open(uint16_t port);
/* "\n" becomes "\r\n". Nothing before uart_open(). */
void uart_write(const char *text, size_t len);
/* A byte that was typed; -1: none. */
int uart_read(void);
