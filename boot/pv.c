/* SPDX-License-Identifier: MIT
 *
 * The PV door's decoder: start_info into boot_info.  Memory, upwards from the image's first page:
 * image, p2m, start_info, xenstore ring, console ring, page tables, one page of stack (we have our
 * own), then free pages up to the end of what the builder mapped, a multiple of 4 MiB. Follows Xen
 * public/xen.h (struct start_info) and tools/libs/guest/xg_dom_x86.c.  A ramdisk lies behind that,
 * unmapped, as the image's notes want it.
 */
#include <string.h>
#include "arch/context.h"
#include "boot/boot_info.h"
#include "hypercall/vcpu.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/percpu.h"
#include "mm/address_space.h"
#include "mm/module.h"
#include "x86/pv/pv.h"
#include "x86/segment.h"

extern char __image_start[], boot_tls[], boot_stack_guard[], boot_stack_bottom[], boot_stack_top[],
    hvm_pages[], hvm_pages_end[]; /* of no use here */

void pv_start(const struct start_info *si);

static void *frame_to_virt(unsigned long mfn)
{
    return pfn_to_virt((pfn_t){ machine_to_phys_mapping[mfn] });
}

static struct shared_info *shared_info(void)
{
    return (void *)shared_info_page;
}

static void map_shared_info(unsigned long machine_address)
{
    int rc = pv_mmu_replace(shared_info_page, machine_address);

    if (rc)
        panic("cannot map shared_info: %s", error_name(rc));
}

static void decode(const struct start_info *si, char *mapped_end, struct boot_info *info)
{
    char *ram_end = pfn_to_virt((pfn_t){ si->nr_pages });
    char *mapped = MIN(mapped_end, ram_end);
    char *module = pfn_to_virt((pfn_t){ si->mod_start });

    if (si->mod_len == 0)
        module = ram_end;
    else if (module_add)
        module_add(module, si->mod_len, si->mod_len / PAGE_SIZE, NULL);
    map_shared_info(si->shared_info);
    *info = (struct boot_info){
        .cmdline = (const char *)si->cmd_line,
        .mapped = { { (void *)(si->pt_base + (si->nr_pt_frames + 1) * PAGE_SIZE), mapped },
                    { hvm_pages, hvm_pages_end } },
        .unmapped = { { module + si->mod_len, ram_end }, { mapped, module } },
        .stack_bottom = boot_stack_bottom,
        .stack_top = boot_stack_top,
        .shared = shared_info,
        .console = frame_to_virt(si->console.domU.mfn),
        .console_port = si->console.domU.evtchn,
        .xenstore = frame_to_virt(si->store_mfn),
        .xenstore_port = si->store_evtchn,
    };
}

/* From pv_entry.S. This file is compiled without stack protector and stack limit: both are read
 * through the thread register, which is set here. */
void pv_start(const struct start_info *si)
{
    struct percpu *cpu = &percpu_boot;
    struct context context;
    struct boot_info info;
    char *mapped_end;

    direct_map_offset = (unsigned long)__image_start;
    pv_set_gs((unsigned long)cpu);
    segment_init();
    context_tls_init(&context, boot_tls, boot_stack_bottom);
    context_adopt(&context);
    pv_traps_init();
    mapped_end =
        pv_mmu_init((const unsigned long *)si->mfn_list, si->nr_pages, (uint64_t *)si->pt_base);
    if (page_set_guard(boot_stack_guard, true))
        panic("cannot guard the boot stack");
    if (hypercall_vcpu_register_info(0, virt_to_mfn(cpu).n,
                                     (unsigned long)&cpu->vcpu_info & ~PAGE_MASK))
        panic("Xen refused vcpu_info");
    decode(si, mapped_end, &info);
    start(&info);
}
