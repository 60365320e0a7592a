/* SPDX-License-Identifier: MIT
 *
 * A device tree as Xen's toolstack makes one for a domain (Xen tools/libs/light/libxl_arm.c), for
 * tests to spoil.
 */
#pragma once
#include <libfdt.h>
#include "lib/types.h"

#define SAMPLE_MAX   4096
#define SAMPLE_NODES 6 /* which one to leave out: */
enum sample_node { NODE_CHOSEN, NODE_CPU, NODE_MEMORY, NODE_GIC, NODE_TIMER, NODE_HYPERVISOR };

struct sample_reg {
    uint64_t start, size;
};

static inline void sample_reg(void *fdt, const struct sample_reg *ranges, unsigned int count)
{
    fdt64_t cells[16];

    for (unsigned int i = 0; i < count; i++) {
        cells[2 * i] = cpu_to_fdt64(ranges[i].start);
        cells[2 * i + 1] = cpu_to_fdt64(ranges[i].size);
    }
    fdt_property(fdt, "reg", cells, (int)(count * 2 * sizeof(cells[0])));
}

/* Private interrupts, in the order of `numbers`. */
static inline void sample_interrupts(void *fdt, const uint32_t *numbers, unsigned int count)
{
    fdt32_t cells[12];

    for (unsigned int i = 0; i < count; i++) {
        cells[3 * i] = cpu_to_fdt32(1);
        cells[3 * i + 1] = cpu_to_fdt32(numbers[i]);
        cells[3 * i + 2] = cpu_to_fdt32(0xf08);
    }
    fdt_property(fdt, "interrupts", cells, (int)(count * 3 * sizeof(cells[0])));
}

static inline void sample_begin(void *fdt, const char *name, const char *property,
                                const char *value)
{
    fdt_begin_node(fdt, name);
    fdt_property_string(fdt, property, value);
}

static inline void sample_memory(void *fdt, const char *name, const struct sample_reg *banks,
                                 unsigned int count)
{
    sample_begin(fdt, name, "device_type", "memory");
    sample_reg(fdt, banks, count);
    fdt_end_node(fdt);
}

static inline void sample_cpus(void *fdt)
{
    fdt_begin_node(fdt, "cpus");
    fdt_property_u32(fdt, "#address-cells", 1);
    fdt_property_u32(fdt, "#size-cells", 0);
    for (uint32_t cpu = 0; cpu < 2; cpu++) {
        sample_begin(fdt, cpu ? "cpu@1" : "cpu@0", "device_type", "cpu");
        fdt_property_u32(fdt, "reg", cpu);
        fdt_end_node(fdt);
    }
    fdt_end_node(fdt);
}

/* Its size; `fdt` has SAMPLE_MAX bytes, a multiple of 8. `without`: -1, or an enum sample_node. */
static inline size_t sample_device_tree(void *fdt, int without)
{
    static const struct sample_reg bank[] = { { 0x40000000, 0x2000000 } };
    static const struct sample_reg banks[] = { { 0x200000000, 0 }, { 0x280000000, 0x1000000 } };
    static const struct sample_reg gic[] = { { 0x3001000, 0x10000 }, { 0x3020000, 0x1000000 } };
    static const struct sample_reg grants[] = { { 0x38000000, 0x1000000 } };
    static const uint32_t timers[] = { 13, 14, 11 }, upcall[] = { 15 };

    fdt_create(fdt, SAMPLE_MAX);
    fdt_finish_reservemap(fdt);
    fdt_begin_node(fdt, "");
    fdt_property_u32(fdt, "#address-cells", 2);
    fdt_property_u32(fdt, "#size-cells", 2);
    if (without != NODE_CHOSEN) {
        sample_begin(fdt, "chosen", "bootargs", "-loglevel=info one");
        fdt_property_u64(fdt, "linux,initrd-start", 0x41000000);
        fdt_property_u64(fdt, "linux,initrd-end", 0x41002000);
        fdt_end_node(fdt);
    }
    if (without != NODE_CPU)
        sample_cpus(fdt);
    if (without != NODE_MEMORY) {
        sample_memory(fdt, "memory@40000000", bank, 1);
        sample_memory(fdt, "memory@200000000", banks, 2);
    }
    if (without != NODE_GIC) {
        sample_begin(fdt, "interrupt-controller@3001000", "compatible", "arm,gic-v3");
        sample_reg(fdt, gic, 2);
        fdt_end_node(fdt);
    }
    if (without != NODE_TIMER) {
        sample_begin(fdt, "timer", "compatible", "arm,armv8-timer");
        sample_interrupts(fdt, timers, 3);
        fdt_end_node(fdt);
    }
    if (without != NODE_HYPERVISOR) {
        sample_begin(fdt, "hypervisor", "compatible", "xen,xen");
        sample_reg(fdt, grants, 1);
        sample_interrupts(fdt, upcall, 1);
        fdt_end_node(fdt);
    }
    fdt_end_node(fdt);
    fdt_finish(fdt);
    return fdt_totalsize(fdt);
}
