/* SPDX-License-Identifier: MIT
 *
 * PCI configuration space by the two ports of a PC (configuration mechanism 1).
 */
#include "pci/pci.h"
#include "arch/port.h"
#include "lib/log.h"
#include "lib/spinlock.h"

#define ADDRESS_PORT 0xcf8
#define DATA_PORT    0xcfc
#define ENABLE       (1U << 31)

#define DEVICES   32
#define FUNCTIONS 8

/* Registers, read as 32 bits. */
#define ID                  0x00 /* vendor, device */
#define COMMAND             0x04 /* and status above it, where zeroes change nothing */
#define COMMAND_PORTS       (1 << 0)
#define COMMAND_MEMORY      (1 << 1)
#define COMMAND_MASTER      (1 << 2)
#define COMMAND_NO_PIN      (1 << 10)
#define CLASS               0x08 /* revision, class */
#define HEADER              0x0c
#define HEADER_MORE         (1U << 23) /* the device has other functions than 0 */
#define HEADER_TYPE(header) ((header) >> 16 & 0x7f)
#define BAR                 0x10
#define BARS                6
#define BAR_PORTS           (1 << 0)
#define BAR_PORTS_MASK      0xfffcU
#define INTERRUPT           0x3c /* line, pin */

#define PORTS_MIN 0x1000 /* below are those of the board */

static spinlock_t lock = SPINLOCK_INIT; /* the two ports are used together */

static uint32_t address_of(const struct pci_device *device, unsigned int reg)
{
    return ENABLE | (uint32_t)device->device << 11 | (uint32_t)device->function << 8 | reg;
}

static uint32_t config_read(const struct pci_device *device, unsigned int reg)
{
    bool enabled = spin_lock_save(&lock);
    uint32_t value;

    outl(ADDRESS_PORT, address_of(device, reg));
    value = inl(DATA_PORT);
    spin_unlock_restore(&lock, enabled);
    return value;
}

static void config_write(const struct pci_device *device, unsigned int reg, uint32_t value)
{
    bool enabled = spin_lock_save(&lock);

    outl(ADDRESS_PORT, address_of(device, reg));
    outl(DATA_PORT, value);
    spin_unlock_restore(&lock, enabled);
}

static void set_command(const struct pci_device *device, uint32_t clear, uint32_t set)
{
    uint32_t command = config_read(device, COMMAND) & 0xffff;

    config_write(device, COMMAND, (command & ~clear) | set);
}

/* Is there a function at this place? *more: the device has others. */
static bool describe(struct pci_device *device, bool *more)
{
    uint32_t id = config_read(device, ID), class;
    unsigned int pin;

    if ((id & 0xffff) == 0xffff || (id & 0xffff) == 0)
        return false;
    class = config_read(device, CLASS);
    pin = config_read(device, INTERRUPT) >> 8 & 0xff;
    device->vendor = id & 0xffff;
    device->id = id >> 16;
    device->revision = class & 0xff;
    device->class_code = class >> 8;
    device->pin = pin <= 4 ? pin : 0;
    *more = config_read(device, HEADER) & HEADER_MORE;
    return true;
}

void pci_scan(void (*fn)(const struct pci_device *device, void *arg), void *arg)
{
    for (unsigned int i = 0; i < DEVICES; i++) {
        bool more = false, other;

        for (unsigned int j = 0; j < FUNCTIONS && (j == 0 || more); j++) {
            struct pci_device device = { .device = i, .function = j };

            if (describe(&device, j == 0 ? &more : &other))
                fn(&device, arg);
        }
    }
}

/* How many ports the register decodes, by which of its bits can be set; 0: nonsense. The device
 * answers nowhere meanwhile. */
static uint32_t size_ports(const struct pci_device *device, unsigned int reg, uint32_t base)
{
    uint32_t command = config_read(device, COMMAND) & 0xffff, mask, size;

    config_write(device, COMMAND, command & ~(uint32_t)(COMMAND_PORTS | COMMAND_MEMORY));
    config_write(device, reg, ~0U);
    mask = config_read(device, reg) & BAR_PORTS_MASK;
    config_write(device, reg, base);
    config_write(device, COMMAND, command);
    size = mask & -mask;
    return mask == (BAR_PORTS_MASK & -size) ? size : 0;
}

int pci_io_ports(const struct pci_device *device, unsigned int bar, unsigned int len,
                 uint16_t *port)
{
    unsigned int reg = BAR + 4 * bar;
    uint32_t value, base, size;

    if (bar >= BARS || HEADER_TYPE(config_read(device, HEADER)) != 0)
        return -XEN_ENODEV;
    value = config_read(device, reg);
    base = value & ~3U;
    if (!(value & BAR_PORTS) || base == 0)
        return -XEN_ENODEV;
    size = size_ports(device, reg, value);
    if (size >= len && base >= PORTS_MIN && base <= 0x10000 - size && !(base & (size - 1))) {
        *port = (uint16_t)base;
        return 0;
    }
    log_error("pci: device %u.%u: its register %u names %u ports from 0x%x on, not at least %u",
              device->device, device->function, bar, size, base, len);
    return -XEN_EINVAL;
}

void pci_enable(const struct pci_device *device)
{
    set_command(device, COMMAND_NO_PIN, COMMAND_PORTS | COMMAND_MASTER);
}

void pci_disable(const struct pci_device *device)
{
    set_command(device, COMMAND_MASTER, COMMAND_NO_PIN);
}

int pci_interrupt(const struct pci_device *device, struct pci_interrupt *interrupt)
{
    if (device->pin == 0)
        return -XEN_ENODEV;
    return arch_pci_interrupt(device->device, device->pin, interrupt);
}
