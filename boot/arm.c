/* SPDX-License-Identifier: MIT
 *
 * From the entry of an ARM domain to start(): thread register, tables, the device tree, the
 * interrupt controller, Xen.  All that the toolstack left is copied, so all memory but the image's
 * and the initrd's is free.
 */
#include <string.h>
#include "arch/context.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arm/clock.h"
#include "arm/gic.h"
#include "arm/grant.h"
#include "arm/interrupt.h"
#include "arm/mmu.h"
#include "arm/smp.h"
#include "boot/boot_info.h"
#include "boot/device_tree.h"
#include "console/console.h"
#include "hypercall/hvm.h"
#include "hypercall/memory.h"
#include "hypercall/vcpu.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/percpu.h"
#include "mm/address_space.h"
#include "mm/module.h"
#include "mm/page.h"

#define LARGE_PAGE    (PAGE_SIZE << PAGE_MAX_ORDER)
#define PAGES_PER_MIB (1024 * 1024 / PAGE_SIZE)

/* The pages behind the image that frames of others are mapped at: boot/arm.lds. */
enum window { CONSOLE, XENSTORE, DISTRIBUTOR, GIC_CONTROL, GIC_PRIVATE };
#define GICR_PRIVATE 0x10000 /* the second page of a redistributor */

extern char __image_start[], __image_end[], boot_tls[], boot_stack_guard[], boot_stack_bottom[],
    boot_stack_top[], boot_exception_guard[], boot_windows[];

static struct device_tree tree;

void arm_start(uint64_t device_tree_paddr, unsigned long offset);

static char *window(enum window which)
{
    return boot_windows + which * PAGE_SIZE;
}

static void *direct(uint64_t paddr)
{
    return (void *)(unsigned long)(paddr + direct_map_offset);
}

static uint64_t param(uint32_t index)
{
    uint64_t value;
    int rc = hypercall_hvm_get_param(index, &value);

    if (rc)
        panic("Xen does not tell HVM parameter %u: %s", index, error_name(rc));
    return value;
}

/* Before anything that may fail: so that it can be read. */
static void connect_console(struct boot_info *info)
{
    info->console = (void *)window(CONSOLE);
    info->console_port = (evtchn_port_t)param(HVM_PARAM_CONSOLE_EVTCHN);
    arm_mmu_map_page(info->console, param(HVM_PARAM_CONSOLE_PFN) << PAGE_SHIFT, false);
}

/* start() has not connected the log yet. */
static _Noreturn void give_up(const struct boot_info *info, const char *why)
{
    console_early_init(info->console, info->console_port);
    panic("%s", why);
}

/* It stays where it is, in none of the allocator's memory; after place_memory(), which says where
 * it is seen. */
static void add_initrd(void)
{
    const struct device_range *initrd = &tree.initrd;
    uint64_t pages = memory_remove(&tree.memory, initrd->start, initrd->size);

    if (initrd->size && pages == 0)
        log_warn("the initrd at 0x%llx is not in memory that is used",
                 (unsigned long long)initrd->start);
    else if (initrd->size && module_add)
        module_add(direct(initrd->start), initrd->size, pages, NULL);
}

static void read_device_tree(const struct boot_info *info, uint64_t paddr)
{
    const void *blob = arm_mmu_look(paddr, PAGE_SIZE);
    size_t size = paddr % 8 || !blob ? 0 : device_tree_size(blob);

    if (size)
        blob = arm_mmu_look(paddr, size);
    if (!size || !blob || device_tree_decode(blob, size, &tree))
        give_up(info, "there is no usable device tree");
    memory_remove(&tree.memory, (unsigned long)__image_start - image_offset,
                  __image_end - __image_start);
}

/* Where RAM begins is where the direct map does; what that has no room for is not used. */
static void place_memory(void)
{
    uint64_t start = UINT64_MAX, end, pages;

    for (unsigned int i = 0; i < tree.memory.nr; i++)
        start = MIN(start, tree.memory.ranges[i].start);
    start &= ~(uint64_t)(LARGE_PAGE - 1);
    direct_map_offset = DIRECT_MAP - (unsigned long)start;
    end = MIN(start + DIRECT_MAP_SIZE, PADDR_END);
    pages = memory_remove(&tree.memory, end, UINT64_MAX - end);
    if (pages)
        log_warn("memory: %llu MiB of it are not used: there are no addresses for them",
                 (unsigned long long)(pages / PAGES_PER_MIB));
}

static void take_first_memory(struct boot_info *info)
{
    struct memory_range first = memory_take_first(&tree.memory);

    info->mapped[0] = (struct boot_range){ direct(first.start), direct(first.end) };
    if (first.start == first.end ||
        mmu_map_direct(direct(first.start), direct(first.end), arm_mmu_boot_table))
        give_up(info, "the device tree tells of no memory");
    for (unsigned int i = 0; i < tree.memory.nr; i++)
        info->unmapped[i] = (struct boot_range){ direct(tree.memory.ranges[i].start),
                                                 direct(tree.memory.ranges[i].end) };
}

static void start_interrupts(void)
{
    struct gic gic = { .version = tree.gic_version,
                       .distributor = window(DISTRIBUTOR),
                       .cpu_interface = window(GIC_CONTROL) };

    arm_mmu_map_page(window(DISTRIBUTOR), tree.distributor.start, true);
    arm_mmu_map_page(window(GIC_CONTROL), tree.second.start, true);
    arm_mmu_map_page(window(GIC_PRIVATE), tree.second.start + GICR_PRIVATE, true);
    interrupt_init(tree.upcall_irq, tree.timer_irq);
    gic_init(&gic);
    arm_smp_init(tree.nr_cpus, tree.gic_version == 3 ? tree.second.start : 0, tree.second.size);
    gic_init_self(window(GIC_CONTROL), window(GIC_PRIVATE));
    interrupt_enable_self();
}

static struct shared_info *shared_info(void)
{
    return (void *)shared_info_page;
}

static void connect_xen(struct boot_info *info)
{
    struct percpu *cpu = &percpu_boot;
    uint64_t shared = tree.for_grants.start;
    int rc = hypercall_memory_add_to_physmap(XENMAPSPACE_shared_info, 0, shared >> PAGE_SHIFT);

    if (rc == 0)
        rc = hypercall_vcpu_register_info(0, virt_to_mfn(cpu).n,
                                          (unsigned long)&cpu->vcpu_info & ~PAGE_MASK);
    if (rc)
        give_up(info, "Xen takes neither shared_info nor vcpu_info");
    arm_grant_init(shared, tree.for_grants.size);
    arm_mmu_map_page(shared_info_page, shared, false);
    info->shared = shared_info;
    info->xenstore = (void *)window(XENSTORE);
    info->xenstore_port = (evtchn_port_t)param(HVM_PARAM_STORE_EVTCHN);
    arm_mmu_map_page(info->xenstore, param(HVM_PARAM_STORE_PFN) << PAGE_SHIFT, false);
}

/* From the entry, which has set up the image's tables and the stack. */
void arm_start(uint64_t device_tree_paddr, unsigned long offset)
{
    static struct boot_info info;
    struct context context;

    image_offset = offset;
    cpu_set_percpu(&percpu_boot);
    context_tls_init(&context, boot_tls, boot_stack_bottom);
    context_tls_nobody(&context);
    context_adopt(&context);
    connect_console(&info);
    read_device_tree(&info, device_tree_paddr);
    place_memory();
    add_initrd();
    clock_init(tree.timer_frequency);
    take_first_memory(&info);
    connect_xen(&info);
    start_interrupts();
    if (mmu_guard(boot_stack_guard, true) || mmu_guard(boot_exception_guard, true))
        panic("cannot guard the boot stack");
    info.cmdline = tree.cmdline;
    info.stack_bottom = boot_stack_bottom;
    info.stack_top = boot_stack_top;
    start(&info);
}
