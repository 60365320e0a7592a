/* SPDX-License-Identifier: MIT
 *
 * A fake Xen for host tests: the hypercalls the portable parts make, on tables that a test can
 * read, set, and make lie.  The rest of the domain is faked too: memory (fake_mm.c), vCPUs and
 * upcalls (fake_cpu.c), threads (fake_kernel.c).  Fakes are weak symbols: a test that links the
 * real thing (by calling what only the real file has) gets the real thing.
 *
 * Upcalls come as on a real vCPU: when a hypercall returns or the mask is lifted while something is
 * pending, in the same pthread.  After the first thread_create() of the fake kernel, vCPU 0's
 * upcalls run in a pthread of their own instead, and the mask is a lock between it and the threads.
 */
#pragma once
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include "arch/page.h"
#include "lib/percpu.h"

#define FAKE __attribute__((weak))

/* Before each test; the framework calls it. vCPU 0 is the caller, upcalls masked as at boot. */
void fake_xen_init(void);

/* --- what Xen is like; set before use ----------------------------------------------------------
 */
struct fake_xen {
    uint32_t version;       /* major << 16 | minor */
    uint32_t features;      /* XENFEAT_* bits */
    unsigned int vcpus;     /* that exist */
    bool has_fifo;          /* else EVTCHNOP_init_control is -ENOSYS */
    unsigned int max_ports; /* ports [1, max_ports) may be used */
    unsigned int max_grant_frames;
    unsigned long max_pages;

    struct shared_info *shared; /* the page, at a mapped address */
    mfn_t shared_mfn;
    uint64_t timer_ns[MAX_VCPUS]; /* one-shot deadlines, TIME_NEVER: stopped */

    char last_words[256]; /* the panic's text, or "shutdown N" */

    /* Looks at each hypercall first. `arg` is the second argument (the first for calls without a
     * command). FAKE_GO_ON: let the fake Xen answer. Called without locks, in the guest's thread.
     */
    long (*hook)(unsigned int nr, unsigned long cmd, void *arg, unsigned long count);
};
#define FAKE_GO_ON INT64_MIN
extern struct fake_xen fake_xen;

/* fake_xen.shared, as parts of the guest ask for it. */
struct shared_info *fake_shared_info(void);
/* How often the guest made this hypercall; `cmd` is its first argument. */
unsigned int fake_hypercalls(unsigned int nr, unsigned int cmd);
/* Messages logged so far that contain `text` (log_line() is faked by lib/log.c with a sink). */
unsigned int fake_logged(const char *text);

/* --- events --------------------------------------------------------------------------------------
 */
/* A port the toolstack made, bound to vCPU 0. */
evtchn_port_t fake_port_open(void);
/* The other end signals `port`. If the caller plays the port's vCPU and has upcalls open, they run
 * before this returns. Any pthread. */
void fake_port_raise(evtchn_port_t port);
/* Raise the port of (virq, vcpu); false when nobody bound it. */
bool fake_virq_raise(unsigned int virq, unsigned int vcpu);
/* How often the guest sent on `port`. */
unsigned int fake_port_sent(evtchn_port_t port);
/* Call fn(arg) in the guest's thread whenever it sends on `port`. */
void fake_port_on_sent(evtchn_port_t port, void (*fn)(void *arg), void *arg);
bool fake_port_is_open(evtchn_port_t port);
unsigned int fake_port_vcpu(evtchn_port_t port);
unsigned int fake_port_priority(evtchn_port_t port);
/* FIFO: the word of `port`, NULL when the guest never gave a page for it; the control block. */
event_word_t *fake_fifo_word(evtchn_port_t port);
struct evtchn_fifo_control_block *fake_fifo_control(unsigned int vcpu);
/* Events Xen could not note because the guest gave no memory for them. */
unsigned int fake_events_dropped(void);

/* --- grants --------------------------------------------------------------------------------------
 */
/* The entry as it lies in the table; NULL past its end. */
struct grant_entry_v1 *fake_grant_entry(grant_ref_t ref);
/* Another domain maps a page we granted: its address there; NULL when the entry does not allow it.
 */
void *fake_grant_remote_map(domid_t domid, grant_ref_t ref, bool readonly);
void fake_grant_remote_unmap(grant_ref_t ref);
/* A page that `domid` grants us as `ref`, at the address where `domid` sees it. */
void *fake_foreign_page(domid_t domid, grant_ref_t ref, bool readonly);
/* Grant mappings the guest holds now. */
unsigned int fake_grant_maps(void);

/* --- memory --------------------------------------------------------------------------------------
 */
/* After `count` more successful allocations (pages or heap) all fail; -1: never. */
void fake_alloc_fail_after(long count);
/* Allocations made so far, and pages and heap blocks not freed yet. */
unsigned long fake_allocs(void);
unsigned long fake_alloc_live(void);
/* `count` contiguous pages of the direct map that the fake page allocator will not touch. */
void *fake_pages_reserve(unsigned long count);
/* A frame of Xen's own, zeroed. */
mfn_t fake_xen_frame(void);
/* Where Xen sees a frame; NULL for a number that is none. */
void *fake_frame_at(unsigned long mfn);
/* Map a frame at a page-aligned `virt`, as a page-table entry would; false when it cannot be. */
bool fake_map(void *virt, mfn_t mfn, bool readonly);
void fake_unmap(void *virt);

/* --- vCPUs and time ------------------------------------------------------------------------------
 */
/* The calling pthread plays `vcpu` from now on, upcalls masked; its percpu. */
struct percpu *fake_cpu_adopt(unsigned int vcpu);
/* Take the upcalls that are due, if the mask allows. */
void fake_deliver(void);
/* Xen side: something is pending for `vcpu` now; wakes whoever plays it. */
void fake_upcall_set(unsigned int vcpu);
/* vCPU 0's upcalls run in a pthread of their own from now on (see above). */
void fake_upcalls_to_thread(void);
void fake_time_skip(uint64_t ns);
void fake_pause_ms(unsigned int ms);

struct fake_catch {
    bool active;
    jmp_buf at;
};
extern struct fake_catch fake_catch;
/* The domain is over: back to CHECK_ENDS_DOMAIN, or the test fails. */
_Noreturn void fake_domain_ends(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Private to the fakes. */
long fake_event_op(unsigned int cmd, void *arg);
long fake_grant_op(unsigned int cmd, void *arg, unsigned int count);
void fake_mm_init(void);
void fake_cpu_init(void);
void fake_xen_lock(void);
void fake_xen_unlock(void);
bool fake_any_pending(const evtchn_port_t *ports, unsigned int count);
