/* SPDX-License-Identifier: MIT
 *
 * Modules: what the loader brought besides the image (ramdisk= of xl, `module` of GRUB).  Their
 * memory never was the page allocator's.  The list is in the images of programs that look at it
 * (libc/files.c) and in no other; boot/ tells it what there is, if it is there.
 */
#pragma once
#include "lib/types.h"

#define MODULES_MAX     16
#define MODULE_TEXT_MAX 128

struct module {
    const void *start; /* where it would be in the direct map, which it is not in */
    size_t size;       /* bytes; whole pages where that is all a loader tells */
    char text[MODULE_TEXT_MAX];
};

/* Boot only: a module, of which `pages` pages are memory of the domain's, and of nothing else; all
 * of them, or it is logged and left out. `text` (MODULE_TEXT_MAX bytes) came with it; NULL: none.
 */
void module_add(const void *start, size_t size, size_t pages, const char *text)
    __attribute__((weak));

unsigned int module_count(void);
/* `n` below that. */
const struct module *module_get(unsigned int n);
/* Its bytes, from now on and for ever read-only at an address of their own; NULL: no memory for the
 * page tables. Once for each. Thread context. */
const void *module_map(const struct module *module);
