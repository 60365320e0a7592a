/* SPDX-License-Identifier: MIT
 *
 * From the entry of a domain with hardware assistance to start(): segments, page tables, Xen, then
 * what the loader told of memory.  All that it left is copied, so all memory but the image's and
 * the modules' is free.
 */
#include "boot/hvm.h"
#include <string.h>
#include "arch/context.h"
#include "arch/cpu.h"
#include "boot/boot_info.h"
#include "hypercall/hvm.h"
#include "hypercall/memory.h"
#include "hypercall/vcpu.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/percpu.h"
#include "lib/spinlock.h"
#include "mm/address_space.h"
#include "mm/page.h"
#include "x86/guest.h"
#include "x86/hvm/hvm.h"
#include "x86/hvm/regs.h"
#include "arch/uart.h"
#include <xen/arch-x86/hvm/start_info.h>

#define LARGE_PAGE (PAGE_SIZE << PAGE_MAX_ORDER)
#define FIRST_4GB  (1UL << 32)

#define MULTIBOOT_MAGIC  0x2badb002
#define MULTIBOOT2_MAGIC 0x36d76289

extern char __image_start[], __image_end[], boot_tls[], boot_stack_guard[], boot_stack_bottom[],
    boot_stack_top[], hvm_boot_cpu[], hvm_windows[];

static struct hvm_loaded loaded;

void hvm_start(uint32_t magic, uint32_t paddr, uint32_t nx);

/* There is no console yet, or nobody to have one: a PC's serial port is what may be there. */
static _Noreturn void give_up(const char *why)
{
    log_error("%s", why);
    uart_open(UART_COM1);
    for (;;)
        asm volatile("hlt"); /* interrupts are off; Xen ends a domain that does this on all vCPUs */
}

/* The BIOS left the interrupt controllers of a PC as it wanted them: nothing may come from there.
 */
static void silence_pic(void)
{
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
}

static void decode(uint32_t magic, uint32_t paddr)
{
    int rc = -XEN_EINVAL;

    arch_guest_type = "hvm";
    if (magic == XEN_HVM_START_MAGIC_VALUE) {
        arch_guest_type = "pvh";
        rc = pvh_decode(paddr, hvm_window, &loaded);
    } else if (magic == MULTIBOOT_MAGIC) {
        rc = multiboot_decode(paddr, hvm_window, &loaded);
    } else if (magic == MULTIBOOT2_MAGIC) {
        rc = multiboot2_decode(paddr, hvm_window, &loaded);
    }
    if (rc)
        give_up("the loader left nothing to start from");
    memory_remove(&loaded.memory, (unsigned long)__image_start - (unsigned long)__image_offset,
                  __image_end - __image_start);
    memory_remove(&loaded.memory, 0, PAGE_SIZE);
}

static void *direct(uint64_t paddr)
{
    return (void *)(paddr + HVM_DIRECT_MAP);
}

static void take_first_memory(struct boot_info *info)
{
    struct memory_range first = memory_take_first(&loaded.memory);

    info->mapped[0] = (struct boot_range){ direct(first.start), direct(first.end) };
    if (first.start == first.end ||
        hvm_mmu_map_direct(direct(first.start), direct(first.end), hvm_mmu_boot_table))
        panic("the loader told of no memory");
}

/* All the rest; and where memory ends. */
static void add_unmapped(struct boot_info *info)
{
    struct memory *memory = &loaded.memory;
    uint64_t end = FIRST_4GB;

    for (unsigned int i = 0; i < memory->nr; i++) {
        struct memory_range *range = &memory->ranges[i];

        info->unmapped[i] = (struct boot_range){ direct(range->start), direct(range->end) };
        end = MAX(end, range->end);
    }
    hvm_frames_of_others =
        ROUND_UP(end, LARGE_PAGE) / PAGE_SIZE + 1; /* the one before: shared_info */
}

static void must(int rc)
{
    if (rc)
        panic("Xen does not connect us: %s", error_name(rc));
}

/* Mapped when it is first wanted, for Xen's wall clock or two-level events: the firmware of an HVM
 * domain has used it, and taking it from there makes the device model forget all it has mapped of
 * the domain, ten times as much work as the rest of the boot. */
static struct shared_info *shared_info(void)
{
    static spinlock_t lock = SPINLOCK_INIT;
    static struct shared_info *mapped; /* held: lock */
    struct shared_info *shared = load_acquire(&mapped);
    bool enabled;

    if (shared)
        return shared;
    enabled = spin_lock_save(&lock);
    if (!mapped) {
        must(hypercall_memory_add_to_physmap(XENMAPSPACE_shared_info, 0, hvm_frames_of_others - 1));
        hvm_mmu_map_window(hvm_windows + 2 * PAGE_SIZE, hvm_frames_of_others - 1);
        store_release(&mapped, (void *)(hvm_windows + 2 * PAGE_SIZE));
    }
    shared = mapped;
    spin_unlock_restore(&lock, enabled);
    return shared;
}

static uint64_t param(uint32_t index)
{
    uint64_t value;

    must(hypercall_hvm_get_param(index, &value));
    return value;
}

static void connect(struct boot_info *info)
{
    struct percpu *cpu = &percpu_boot;

    must(hypercall_vcpu_register_info(0, virt_to_mfn(cpu).n,
                                      (unsigned long)&cpu->vcpu_info & ~PAGE_MASK));
    /* Xen goes on with what it had, where no upcall was masked, and raises one: it does not know
     * yet where to. */
    upcalls_disable();
    must(hvm_connect());
    info->shared = shared_info;
    info->console = (void *)hvm_windows;
    hvm_mmu_map_window(info->console, param(HVM_PARAM_CONSOLE_PFN));
    info->console_port = (evtchn_port_t)param(HVM_PARAM_CONSOLE_EVTCHN);
    info->xenstore = (void *)(hvm_windows + PAGE_SIZE);
    hvm_mmu_map_window(info->xenstore, param(HVM_PARAM_STORE_PFN));
    info->xenstore_port = (evtchn_port_t)param(HVM_PARAM_STORE_EVTCHN);
}

/* From hvm_entry.S. This file is compiled without stack protector and stack limit: both are read
 * through the thread register, which is set here. */
void hvm_start(uint32_t magic, uint32_t paddr, uint32_t nx)
{
    static struct boot_info info;
    struct context context;

    arch_start_ticks = cpu_ticks();
    guest = &hvm_guest;
    direct_map_offset = HVM_DIRECT_MAP;
    hvm_set_gs((unsigned long)&percpu_boot);
    context_tls_init(&context, boot_tls, boot_stack_bottom);
    context_adopt(&context);
    hvm_cpu_init(hvm_boot_cpu);
    hvm_mmu_init(nx);
    if (!hvm_find_xen())
        give_up("there is no Xen below this machine: this is a Xen domain's kernel");
    if (magic != XEN_HVM_START_MAGIC_VALUE)
        silence_pic();
    decode(magic, paddr);
    take_first_memory(&info);
    add_unmapped(&info);
    connect(&info);
    if (page_set_guard(boot_stack_guard, true))
        panic("cannot guard the boot stack");
    info.cmdline = loaded.cmdline;
    info.stack_bottom = boot_stack_bottom;
    info.stack_top = boot_stack_top;
    start(&info);
}
