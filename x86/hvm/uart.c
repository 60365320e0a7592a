/* SPDX-License-Identifier: MIT
 *
 * A 16550 by polling.  Follows the data sheet of National Semiconductor's PC16550D.
 *
 * Its FIFOs stay as they are, off: to turn them on clears them and the data register, so a byte
 * that was typed before would be lost.  The device model holds back what comes after it.
 */
#include "arch/uart.h"
#include "lib/log.h"
#include "x86/hvm/regs.h"

#define DATA        0
#define INTERRUPTS  1
#define LINE        3
#define LINE_8N1    3
#define LINE_RATE   0x80 /* registers 0 and 1 are the divisor of the rate meanwhile */
#define MODEM       4
#define STATUS      5
#define STATUS_DATA (1 << 0)
#define STATUS_ROOM (1 << 5)
#define SCRATCH     7
#define TURNS       100000 /* for one byte, which takes 87 us */

static uint16_t uart; /* 0: none */

static void put(char byte)
{
    for (unsigned int turn = 0; turn < TURNS && !(inb(uart + STATUS) & STATUS_ROOM); turn++)
        ;
    outb(uart + DATA, (uint8_t)byte);
}

void uart_write(const char *text, size_t len)
{
    for (size_t i = 0; uart && i < len; i++) {
        if (text[i] == '\n')
            put('\r');
        put(text[i]);
    }
}

int uart_read(void)
{
    return uart && inb(uart + STATUS) & STATUS_DATA ? inb(uart + DATA) : -1;
}

static void uart_log(struct log_sink *sink, const char *text, size_t len)
{
    (void)sink;
    uart_write(text, len);
}

int uart_open(uint16_t port)
{
    static const uint8_t setup[][2] = {
        { INTERRUPTS, 0 }, { LINE, LINE_RATE }, { DATA, 1 },
        { INTERRUPTS, 0 }, { LINE, LINE_8N1 },  { MODEM, 3 },
    };
    static struct log_sink sink = { .write = uart_log };

    outb(port + SCRATCH, 0x5a);
    if (inb(port + SCRATCH) != 0x5a)
        return -XEN_ENODEV;
    for (unsigned int i = 0; i < ARRAY_SIZE(setup); i++)
        outb(port + setup[i][0], setup[i][1]);
    if (!uart) {
        uart = port;
        log_add_sink(&sink);
    }
    return 0;
}
