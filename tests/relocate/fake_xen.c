/* SPDX-License-Identifier: MIT
 *
 * What a 32-bit domain finds of Xen, in two hundred lines: so that the image can be run where Xen
 * would not put it. It lies in a machine's memory with the image and a device tree inside of it,
 * runs in HYP mode, copies both to BASE, where the domain's memory begins, and enters the image as
 * Xen does.  It prints the console's ring.  Nobody answers in xenstore and no interrupt comes, so
 * it ends when the domain is idle.  There is no second stage of translation.
 */
#include <stdint.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/sched.h>

#define MIB          (1UL << 20)
#define DEVICE_TREE  (BASE + 16 * MIB)
#define CONSOLE_PAGE (BASE + 64 * MIB) /* behind the memory that the device tree tells of */
#define STORE_PAGE   (CONSOLE_PAGE + 4096)
#define CONSOLE_PORT 2
#define UART         ((volatile uint32_t *)0x09000000)
#define ENOSYS       (-38)

extern const char image[], image_end[], device_tree[], device_tree_end[];

static uint32_t ports = 8;

struct registers {
    uint32_t r[13];
};

void fake_xen_start(void);
void fake_xen_call(struct registers *regs, uint32_t syndrome);
_Noreturn void enter(unsigned long entry, unsigned long device_tree);
_Noreturn void stop(void);

static void print(const char *text, size_t len)
{
    while (len--)
        *UART = (uint8_t)*text++;
}

/* A domain's pointer is a virtual address: ask the CPU where that is. */
static void *guest(uint32_t virt)
{
    uint64_t par;

    asm volatile("mcr p15, 0, %1, c7, c8, 0\n\tisb\n\tmrrc p15, 0, %Q0, %R0, c7" /* ATS1CPR, PAR */
                 : "=r"(par)
                 : "r"(virt)
                 : "memory");
    return (void *)((uint32_t)(par & ~0xfffULL) | (virt & 0xfff));
}

static void print_console(void)
{
    struct xencons_interface *ring = (void *)CONSOLE_PAGE;

    for (; ring->out_cons != ring->out_prod; ring->out_cons++)
        print(&ring->out[MASK_XENCONS_IDX(ring->out_cons, ring->out)], 1);
}

static int32_t get_param(struct xen_hvm_param *param)
{
    switch (param->index) {
    case HVM_PARAM_CONSOLE_PFN:
        param->value = CONSOLE_PAGE >> 12;
        return 0;
    case HVM_PARAM_STORE_PFN:
        param->value = STORE_PAGE >> 12;
        return 0;
    case HVM_PARAM_CONSOLE_EVTCHN:
        param->value = CONSOLE_PORT;
        return 0;
    case HVM_PARAM_STORE_EVTCHN:
        param->value = CONSOLE_PORT + 1;
        return 0;
    default:
        return -22;
    }
}

static int32_t event_channel(uint32_t cmd, void *arg)
{
    switch (cmd) {
    case EVTCHNOP_bind_virq:
        ((struct evtchn_bind_virq *)arg)->port = ports++;
        return 0;
    case EVTCHNOP_send:
        print_console();
        return 0;
    case EVTCHNOP_unmask:
    case EVTCHNOP_bind_vcpu:
        return 0;
    default:
        return ENOSYS; /* FIFO's calls among them */
    }
}

static int32_t grant_table(uint32_t cmd, void *arg)
{
    struct gnttab_query_size *size = arg;

    if (cmd != GNTTABOP_query_size)
        return ENOSYS;
    size->nr_frames = size->max_nr_frames = 1;
    size->status = GNTST_okay;
    return 0;
}

static int32_t shut_down(const struct sched_shutdown *op)
{
    static const char text[] = "fake xen: shutdown, reason ";
    char reason[] = { (char)('0' + op->reason), '\n' };

    print_console();
    print(text, sizeof(text) - 1);
    print(reason, sizeof(reason));
    stop();
}

/* All that the domain could do without an interrupt or an answer of xenstore is done. */
static int32_t block(void)
{
    static const char text[] = "fake xen: the domain is idle\n";

    print(text, sizeof(text) - 1);
    stop();
}

static int32_t sched(uint32_t cmd, void *arg)
{
    switch (cmd) {
    case SCHEDOP_shutdown:
        return shut_down(arg);
    case SCHEDOP_block:
        return block();
    default:
        return 0;
    }
}

static int32_t hypercall(uint32_t nr, uint32_t a, uint32_t b)
{
    struct multicall_entry *entry;

    print_console();
    switch (nr) {
    case __HYPERVISOR_multicall:
        entry = guest(a);
        for (uint32_t i = 0; i < b; i++, entry++)
            entry->result = (xen_ulong_t)hypercall((uint32_t)entry->op, (uint32_t)entry->args[0],
                                                   (uint32_t)entry->args[1]);
        return 0;
    case __HYPERVISOR_hvm_op:
        return a == HVMOP_get_param ? get_param(guest(b)) : ENOSYS;
    case __HYPERVISOR_event_channel_op:
        return event_channel(a, guest(b));
    case __HYPERVISOR_grant_table_op:
        return grant_table(a, guest(b));
    case __HYPERVISOR_sched_op:
        return sched(a, guest(b));
    case __HYPERVISOR_memory_op: /* what is to come to lie there is memory already */
    case __HYPERVISOR_vcpu_op:
        return 0;
    case __HYPERVISOR_xen_version:
        return a == 0 ? 4 << 16 | 17 : ENOSYS;
    default:
        return ENOSYS;
    }
}

void fake_xen_call(struct registers *regs, uint32_t syndrome)
{
    static const char strange[] = "fake xen: the domain trapped\n";

    if (syndrome >> 26 == 0x12 && (syndrome & 0xffff) == 0xea1) {
        regs->r[0] = (uint32_t)hypercall(regs->r[12], regs->r[0], regs->r[1]);
        return;
    }
    if (syndrome >> 26 == 0x12) { /* PSCI: there is one vCPU */
        regs->r[0] = (uint32_t)-2;
        return;
    }
    print(strange, sizeof(strange) - 1);
    stop();
}

void fake_xen_start(void)
{
    memset((void *)CONSOLE_PAGE, 0, 16 * 4096);
    memcpy((void *)(BASE + 0x8000), image, (size_t)(image_end - image));
    memcpy((void *)DEVICE_TREE, device_tree, (size_t)(device_tree_end - device_tree));
    enter(BASE + 0x8000, DEVICE_TREE);
}
