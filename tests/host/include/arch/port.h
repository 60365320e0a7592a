/* SPDX-License-Identifier: MIT
 *
 * A PC's I/O ports, on the host: tests/host/fake_pc.c.
 */
#pragma once
#include <stdint.h>

uint8_t inb(uint16_t port);
uint16_t inw(uint16_t port);
uint32_t inl(uint16_t port);
void outb(uint16_t port, uint8_t value);
void outw(uint16_t port, uint16_t value);
void outl(uint16_t port, uint32_t value);
