/* SPDX-License-Identifier: MIT
 *
 * What the decoders of all loaders put down alike.
 */
#include <string.h>
#include "boot/hvm.h"
#include "lib/log.h"

void hvm_copy_cmdline(uint64_t paddr, hvm_look *look, struct hvm_loaded *to)
{
    const char *text = paddr ? look(paddr, sizeof(to->cmdline)) : NULL;

    if (text)
        memcpy(to->cmdline, text, sizeof(to->cmdline));
    else if (paddr)
        log_error("no command line at 0x%lx", paddr);
}

void hvm_add_module(struct hvm_loaded *to, uint64_t paddr, uint64_t size)
{
    if (to->nr_modules < HVM_MODULES_MAX)
        to->modules[to->nr_modules++] = (struct hvm_module){ paddr, size };
    memory_remove(&to->memory, paddr, size);
}
