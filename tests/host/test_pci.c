/* SPDX-License-Identifier: MIT
 *
 * Who is on the PCI bus, and ports that make no sense.
 */
#include "pci/pci.h"
#include "arch/port.h"
#include "tests/host/fake_pc.h"
#include "tests/host/test.h"

static struct pci_device seen[256];
static unsigned int nr_seen;

static void see(const struct pci_device *device, void *arg)
{
    CHECK(arg == seen);
    seen[nr_seen++] = *device;
}

static void scan(void)
{
    nr_seen = 0;
    pci_scan(see, seen);
}

TEST(bus_without_anybody)
{
    scan();
    CHECK_EQ(nr_seen, 0);
}

TEST(card_is_described)
{
    fake_pci_add_card(4, FAKE_CARD_ID, 0x20, 0xc100);
    scan();
    CHECK_EQ(nr_seen, 1);
    CHECK_EQ(seen[0].device, 4);
    CHECK_EQ(seen[0].function, 0);
    CHECK_EQ(seen[0].vendor, 0x10ec);
    CHECK_EQ(seen[0].id, 0x8139);
    CHECK_EQ(seen[0].revision, 0x20);
    CHECK_EQ(seen[0].class_code >> 8, PCI_CLASS_ETHERNET);
    CHECK_EQ(seen[0].pin, 1);
}

TEST(functions_only_where_the_header_says_so)
{
    for (unsigned int i = 0; i < 8; i++) {
        fake_pci[1][i] = fake_pci[2][i] = (struct fake_pci){ .there = i != 3 };
        fake_pci[1][i].words[0] = fake_pci[2][i].words[0] = 0x12348086;
    }
    fake_pci[1][0].words[3] = 1 << 23;
    scan();
    CHECK_EQ(nr_seen, 8);
    CHECK_EQ(seen[3].function, 4);
    CHECK_EQ(seen[7].device, 2);
}

TEST(vendor_of_zeroes_is_nobody)
{
    fake_pci[0][0].there = true;
    scan();
    CHECK_EQ(nr_seen, 0);
}

TEST(pin_of_no_device)
{
    struct pci_interrupt interrupt = { .fn = NULL };

    fake_card_plug();
    fake_pci[FAKE_CARD_SLOT][0].words[15] = 0x0500;
    scan();
    CHECK_EQ(seen[0].pin, 0);
    CHECK_EQ(pci_interrupt(&seen[0], &interrupt), -XEN_ENODEV);
}

static struct fake_pci *card(void)
{
    fake_card_plug();
    scan();
    return &fake_pci[FAKE_CARD_SLOT][0];
}

TEST(ports_found_and_nothing_changed)
{
    struct fake_pci before, *it = card();
    uint16_t port = 0;

    it->words[1] |= 7;
    before = *it;
    CHECK_EQ(pci_io_ports(&seen[0], 0, 256, &port), 0);
    CHECK_EQ(port, FAKE_CARD_PORTS);
    CHECK_MEM(&before, it, sizeof(before));
}

TEST(enable_and_disable)
{
    struct fake_pci *it = card();

    it->words[1] |= 1 << 10 | 2;
    pci_enable(&seen[0]);
    CHECK_EQ(it->words[1], 0x02800007);
    pci_disable(&seen[0]);
    CHECK_EQ(it->words[1], 0x02800403);
}

static void expect_no_ports(uint32_t value, uint32_t writable, int rc)
{
    struct fake_pci *it = card();
    uint16_t port = 1;

    it->words[4] = value;
    it->writable[4] = writable;
    CHECK_EQ(pci_io_ports(&seen[0], 0, 256, &port), rc);
    CHECK_EQ(port, 1);
}

TEST(ports_not_given_by_the_firmware)
{
    expect_no_ports(1, 0xffffff00, -XEN_ENODEV);
}

TEST(ports_that_are_memory)
{
    expect_no_ports(0xc100, 0xffffff00, -XEN_ENODEV);
}

TEST(ports_too_few)
{
    expect_no_ports(0xc101, 0xffffff80, -XEN_EINVAL);
}

TEST(ports_without_a_size)
{
    expect_no_ports(0xc101, 0, -XEN_EINVAL);
}

TEST(ports_of_the_board)
{
    expect_no_ports(0x101, 0xffffff00, -XEN_EINVAL);
}

TEST(ports_over_the_end)
{
    expect_no_ports(0xffffff01, 0xffffff00, -XEN_EINVAL);
}

TEST(ports_of_a_bridge)
{
    struct fake_pci *it = card();
    uint16_t port;

    it->words[3] = 1 << 16;
    CHECK_EQ(pci_io_ports(&seen[0], 0, 256, &port), -XEN_ENODEV);
    it->words[3] = 0;
    CHECK_EQ(pci_io_ports(&seen[0], 6, 256, &port), -XEN_ENODEV);
}
