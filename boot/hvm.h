/* SPDX-License-Identifier: MIT
 *
 * The doors of domains with hardware assistance: what a loader told, and who reads it.  Private to
 * boot/.
 */
#pragma once
#include "boot/memory.h"
#include "lib/cmdline.h"

#define HVM_MEMORY_END (1UL << 40) /* frames behind this are not used */

struct hvm_loaded {
    struct memory memory; /* free of the image, of modules, and of what the loader left */
    char cmdline[CMDLINE_MAX];
};

/* How a decoder looks at physical memory: `len` bytes, until it looks at the next; NULL: not
 * possible. What it sees may be nonsense. */
typedef const void *hvm_look(uint64_t paddr, size_t len);

/* Each: fill `loaded`, whose memory is empty and text "", from what the loader left at `paddr`. 0;
 * -XEN_EINVAL: it is nonsense, which the log says. */
int pvh_decode(uint64_t paddr, hvm_look *look, struct hvm_loaded *loaded);
int multiboot_decode(uint64_t paddr, hvm_look *look, struct hvm_loaded *loaded);
int multiboot2_decode(uint64_t paddr, hvm_look *look, struct hvm_loaded *loaded);

/* For these: copy the text at `paddr`, cut at the array's size; none at 0. */
void hvm_copy_cmdline(uint64_t paddr, hvm_look *look, struct hvm_loaded *loaded);
/* A module lies there, with its text at `text` (0: none): mm/module.h. All memory is known. */
void hvm_add_module(struct hvm_loaded *loaded, uint64_t paddr, uint64_t size, uint64_t text,
                    hvm_look *look);
