/* SPDX-License-Identifier: MIT
 *
 * Interrupts of an HVM domain's devices: by the I/O APIC to the local APIC of vCPU 0, where
 * entry.S makes an event of them, so that they are masked and served as every other upcall.
 *
 * A pin is edge-triggered here, though a PCI device's is a level: Xen reports each time it is
 * raised as an edge, whoever serves the device has it let go of the pin by acknowledging, and what
 * comes then raises it again.  So nobody has to mask it meanwhile, which takes exits.  Follows Xen
 * arch/x86/hvm/irq.c and vioapic.c (assert_gsi(), hvm_pci_intx_gsi()), and Intel's manuals.
 */
#include "arch/pci.h"
#include "events/events.h"
#include "kernel/smp.h"
#include "lib/atomic.h"
#include "mm/address_space.h"
#include "x86/cpuid.h"
#include "x86/hvm/internal.h"
#include "x86/hvm/regs.h"

#define CPUID_X2APIC   (1 << 21)
#define IOAPIC_PADDR   0xfec00000UL
#define IOAPIC_SELECT  0
#define IOAPIC_WINDOW  4 /* in words */
#define IOAPIC_VERSION 1
#define IOAPIC_ENTRY(n)                                                                            \
    (0x10 + 2 * (n)) /* lower half; fixed, physical, edge, not masked: the vector */
#define PIC_PINS 16  /* below those of PCI */
#define PCI_PINS 32

/* What the interrupt sends: EVTCHNOP_send's argument. */
struct evtchn_send hvm_device_event;

void hvm_device_interrupt(void);

static struct pci_interrupt *interrupts; /* only ever grows, at its front */

static void device_event(evtchn_port_t port, void *arg)
{
    (void)port, (void)arg;
    for (struct pci_interrupt *it = load_acquire(&interrupts); it; it = it->next)
        it->fn(it->arg);
}

static uint32_t ioapic_read(volatile uint32_t *ioapic, uint32_t index)
{
    ioapic[IOAPIC_SELECT] = index;
    return ioapic[IOAPIC_WINDOW];
}

static void ioapic_write(volatile uint32_t *ioapic, uint32_t index, uint32_t value)
{
    ioapic[IOAPIC_SELECT] = index;
    ioapic[IOAPIC_WINDOW] = value;
}

static int connect_pin(volatile uint32_t *ioapic, unsigned int pin)
{
    uint32_t version = ioapic_read(ioapic, IOAPIC_VERSION);

    if ((version & 0xf0) != 0x10 || pin > (version >> 16 & 0xff))
        return -XEN_ENODEV;
    ioapic_write(ioapic, IOAPIC_ENTRY(pin) + 1, 0); /* to the local APIC 0, which is vCPU 0's */
    ioapic_write(ioapic, IOAPIC_ENTRY(pin), HVM_DEVICE_VECTOR);
    return 0;
}

static int open_pin(unsigned int pin)
{
    mfn_t frame = { IOAPIC_PADDR >> PAGE_SHIFT };
    void *ioapic = vspace_alloc(1);
    int rc = ioapic ? map_frames(ioapic, &frame, 1, MAP_WRITE) : -XEN_ENOMEM;

    if (rc == 0) {
        rc = connect_pin(ioapic, pin);
        unmap_frames(ioapic, 1);
    }
    if (ioapic)
        vspace_free(ioapic, 1);
    return rc;
}

/* Of the vCPU that runs this. Its vector for nothing at all is the same one. */
static void open_local_apic(void *unused)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);

    (void)unused;
    if (!(base & APIC_BASE_ON))
        wrmsr(MSR_APIC_BASE, base |= APIC_BASE_ON);
    wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
    wrmsr(MSR_X2APIC_TPR, 0);
    wrmsr(MSR_X2APIC_SVR, APIC_SVR_ON | HVM_DEVICE_VECTOR);
}

/* Once: everything behind the I/O APIC. */
static int open_path(void)
{
    evtchn_port_t port;
    int rc;

    if (hvm_device_event.port)
        return 0;
    if (!(cpuid(1, 0).ecx & CPUID_X2APIC))
        return -XEN_ENODEV;
    rc = event_bind_ipi(0, device_event, NULL, &port);
    if (rc)
        return rc;
    hvm_device_event.port = port;
    hvm_set_gate(HVM_DEVICE_VECTOR, (unsigned long)hvm_device_interrupt, 0);
    return smp_call(0, open_local_apic, NULL, true);
}

int arch_pci_interrupt(unsigned int device, unsigned int pin, struct pci_interrupt *interrupt)
{
    int rc = open_path();

    if (rc == 0)
        rc = open_pin(PIC_PINS + (4 * device + device / 8 + pin - 1) % PCI_PINS);
    if (rc)
        return rc;
    interrupt->next = interrupts;
    store_release(&interrupts, interrupt); /* pairs with device_event() */
    return 0;
}
