/* SPDX-License-Identifier: MIT
 *
 * Fuzzes PCI configuration space: any bus, whose registers are of the input and keep of what is
 * written what the input lets them.
 */
#include <string.h>
#include "arch/port.h"
#include "pci/pci.h"
#include "tests/fuzz/guest.h"

static uint32_t address;
static uint32_t words[16];
static unsigned int reads, found;

void other_end_notified(void)
{
}

bool other_end_turn(void)
{
    return false;
}

uint32_t inl(uint16_t port)
{
    MUST(port == 0xcfc && address & 1U << 31 && (address & 0xff) < 0x40 && !(address & 3));
    MUST(++reads < 20000);
    if (input_byte() & 1) /* another one than before */
        words[(address & 0xff) / 4] = input_u32();
    return words[(address & 0xff) / 4];
}

void outl(uint16_t port, uint32_t value)
{
    MUST(port == 0xcf8 || port == 0xcfc);
    if (port == 0xcf8)
        address = value;
    else if (!(input_byte() & 1))
        words[(address & 0xff) / 4] = value & ~(input_u32() & 0xff);
}

int arch_pci_interrupt(unsigned int device, unsigned int pin, struct pci_interrupt *interrupt)
{
    (void)interrupt;
    MUST(device < 32 && pin >= 1 && pin <= 4);
    return 0;
}

static void see(const struct pci_device *device, void *arg)
{
    struct pci_interrupt interrupt = { .fn = NULL };
    uint16_t port = 0;
    unsigned int len = 1 + input_byte();

    MUST(arg == &found && device->device < 32 && device->function < 8 && device->pin <= 4);
    found++;
    if (pci_io_ports(device, input_byte() % 8, len, &port) == 0)
        MUST(port >= 0x1000 && port + len <= 0x10000);
    else
        MUST(port == 0);
    pci_enable(device);
    pci_interrupt(device, &interrupt);
    pci_disable(device);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = (struct input){ data, data + size };
    memset(words, 0, sizeof(words));
    reads = found = 0;
    pci_scan(see, &found);
    MUST(found <= 256);
    return 0;
}
