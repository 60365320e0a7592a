/* SPDX-License-Identifier: MIT
 *
 * Reading the device tree, by libfdt.  Follows the Devicetree Specification, Linux
 * Documentation/devicetree/bindings and Xen tools/libs/light/libxl_arm.c.
 */
#include "boot/device_tree.h"
#include <libfdt.h>
#include <string.h>
#include "lib/log.h"
#include "lib/vcpu_set.h"

#define CELLS_MAX       2
#define INTERRUPT_CELLS 3 /* kind, number, flags */
#define PRIVATE_KIND    1
#define PRIVATE_FIRST   16 /* what the controller calls private interrupt 0 */
#define PRIVATE_COUNT   16
#define TIMER_VIRTUAL   2 /* of a timer's interrupts: secure, non-secure, virtual, hypervisor */
#define MEMORY_END      (1ULL << 40) /* frames behind this are not used */

static uint64_t read_cells(const fdt32_t *cell, int count)
{
    uint64_t value = 0;

    for (int i = 0; i < count; i++)
        value = value << 32 | fdt32_to_cpu(cell[i]);
    return value;
}

/* Entry `index` of a node's "reg", as children of the root have it. */
static bool read_reg(const void *fdt, int node, int index, struct device_range *out)
{
    int address = fdt_address_cells(fdt, 0), size = fdt_size_cells(fdt, 0), len;
    const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);

    if (!reg || address < 1 || address > CELLS_MAX || size < 1 || size > CELLS_MAX ||
        len / (int)sizeof(*reg) < (index + 1) * (address + size))
        return false;
    reg += index * (address + size);
    *out = (struct device_range){ read_cells(reg, address), read_cells(reg + address, size) };
    return true;
}

/* Entry `index` of a node's "interrupts", a private one; 0: none. */
static unsigned int read_private_interrupt(const void *fdt, int node, int index)
{
    int len;
    const fdt32_t *cell = fdt_getprop(fdt, node, "interrupts", &len);

    if (!cell || len / (int)sizeof(*cell) < (index + 1) * INTERRUPT_CELLS)
        return 0;
    cell += index * INTERRUPT_CELLS;
    if (fdt32_to_cpu(cell[0]) != PRIVATE_KIND || fdt32_to_cpu(cell[1]) >= PRIVATE_COUNT)
        return 0;
    return PRIVATE_FIRST + fdt32_to_cpu(cell[1]);
}

/* What a node is "compatible" to. */
enum kind { GIC_V3, GIC_V2, GIC_400, TIMER_V8, TIMER_V7, XEN, KINDS };

static const char *const kinds[KINDS] = { "arm,gic-v3",      "arm,cortex-a15-gic", "arm,gic-400",
                                          "arm,armv8-timer", "arm,armv7-timer",    "xen,xen" };

/* Offsets of nodes, the first of each kind; negative: there is none. */
struct nodes {
    int of[KINDS];
};

static bool has_type(const char *type, int len, const char *wanted)
{
    return type && (size_t)len == strlen(wanted) + 1 && memcmp(type, wanted, (size_t)len) == 0;
}

/* Memory: several nodes, several banks in a node; one may be empty. Xen numbers vCPUs as they come.
 */
static void look_at(const void *fdt, int node, struct device_tree *out, struct nodes *found)
{
    int len, type_len;
    const char *type = fdt_getprop(fdt, node, "device_type", &type_len);
    const char *compatible = fdt_getprop(fdt, node, "compatible", &len);
    struct device_range bank;

    if (has_type(type, type_len, "memory"))
        for (int i = 0; i < MEMORY_RANGES && read_reg(fdt, node, i, &bank); i++)
            memory_add(&out->memory, bank.start, bank.size, MEMORY_END);
    if (has_type(type, type_len, "cpu"))
        out->nr_cpus++;
    for (unsigned int kind = 0; compatible && kind < KINDS; kind++)
        if (found->of[kind] < 0 && fdt_stringlist_contains(compatible, len, kinds[kind]))
            found->of[kind] = node;
}

/* Once through the tree: libfdt looks for each thing from its beginning. */
static void look_at_all(const void *fdt, struct device_tree *out, struct nodes *found)
{
    for (unsigned int kind = 0; kind < KINDS; kind++)
        found->of[kind] = -1;
    for (int node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL))
        look_at(fdt, node, out, found);
    out->nr_cpus = MIN(MAX(out->nr_cpus, 1U), (unsigned int)MAX_VCPUS);
}

static uint64_t read_address(const void *fdt, int node, const char *name)
{
    int len;
    const fdt32_t *cell = fdt_getprop(fdt, node, name, &len);

    return cell && (len == 4 || len == 8) ? read_cells(cell, len / 4) : 0;
}

static void read_chosen(const void *fdt, struct device_tree *out)
{
    int node = fdt_path_offset(fdt, "/chosen"), len;
    const char *text = node < 0 ? NULL : fdt_getprop(fdt, node, "bootargs", &len);
    uint64_t start, end;

    if (node < 0)
        return;
    if (text && len > 0)
        memcpy(out->cmdline, text, MIN((size_t)len, sizeof(out->cmdline)));
    start = read_address(fdt, node, "linux,initrd-start");
    end = read_address(fdt, node, "linux,initrd-end");
    if (end > start)
        out->initrd = (struct device_range){ start, end - start };
}

static int either(const struct nodes *found, enum kind one, enum kind other)
{
    return found->of[one] < 0 ? found->of[other] : found->of[one];
}

static int read_controller(const void *fdt, const struct nodes *found, struct device_tree *out)
{
    int node = found->of[GIC_V3];

    out->gic_version = node < 0 ? 2 : 3;
    if (node < 0)
        node = either(found, GIC_V2, GIC_400);
    return node >= 0 && read_reg(fdt, node, 0, &out->distributor) &&
                   read_reg(fdt, node, 1, &out->second)
               ? 0
               : -XEN_EINVAL;
}

static int read_timer(const void *fdt, const struct nodes *found, struct device_tree *out)
{
    int node = either(found, TIMER_V8, TIMER_V7);

    if (node < 0)
        return -XEN_EINVAL;
    out->timer_irq = read_private_interrupt(fdt, node, TIMER_VIRTUAL);
    out->timer_frequency = (uint32_t)read_address(fdt, node, "clock-frequency");
    return out->timer_irq ? 0 : -XEN_EINVAL;
}

static int read_hypervisor(const void *fdt, const struct nodes *found, struct device_tree *out)
{
    int node = found->of[XEN];

    if (node < 0 || !read_reg(fdt, node, 0, &out->for_grants))
        return -XEN_EINVAL;
    out->upcall_irq = read_private_interrupt(fdt, node, 0);
    return out->upcall_irq ? 0 : -XEN_EINVAL;
}

size_t device_tree_size(const void *blob)
{
    const struct fdt_header *header = blob;
    size_t size = fdt32_to_cpu(header->totalsize);

    return fdt32_to_cpu(header->magic) == FDT_MAGIC && size <= DEVICE_TREE_MAX ? size : 0;
}

int device_tree_decode(const void *blob, size_t size, struct device_tree *out)
{
    static const struct {
        const char *what;
        int (*read)(const void *fdt, const struct nodes *found, struct device_tree *out);
    } needed[] = { { "interrupt controller", read_controller },
                   { "timer", read_timer },
                   { "hypervisor", read_hypervisor } };
    int rc = fdt_check_full(blob, size);
    struct nodes found;

    if (rc) {
        log_error("device tree: %s", fdt_strerror(rc));
        return -XEN_EINVAL;
    }
    look_at_all(blob, out, &found);
    read_chosen(blob, out);
    if (out->memory.nr == 0)
        log_error("device tree: no memory");
    for (unsigned int i = 0; i < ARRAY_SIZE(needed); i++) {
        if (needed[i].read(blob, &found, out)) {
            log_error("device tree: no usable node of the %s", needed[i].what);
            rc = -XEN_EINVAL;
        }
    }
    return out->memory.nr ? rc : -XEN_EINVAL;
}
