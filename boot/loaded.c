/* SPDX-License-Identifier: MIT
 *
 * What the decoders of all loaders put down alike.
 */
#include <string.h>
#include "boot/hvm.h"
#include "lib/log.h"
#include "mm/module.h"
#include "x86/hvm/hvm.h"

void hvm_copy_cmdline(uint64_t paddr, hvm_look *look, struct hvm_loaded *to)
{
    const char *text = paddr ? look(paddr, sizeof(to->cmdline)) : NULL;

    if (text)
        memcpy(to->cmdline, text, sizeof(to->cmdline));
    else if (paddr)
        log_error("no command line at 0x%lx", paddr);
}

void hvm_add_module(struct hvm_loaded *to, uint64_t paddr, uint64_t size, uint64_t text,
                    hvm_look *look)
{
    uint64_t pages;

    if (size > UINT64_MAX - paddr) {
        log_error("module at 0x%lx: it ends before it begins", paddr);
        return;
    }
    pages = memory_remove(&to->memory, paddr, size);
    if (module_add)
        module_add((void *)(paddr + HVM_DIRECT_MAP), size, pages,
                   text ? look(text, MODULE_TEXT_MAX) : NULL);
}
