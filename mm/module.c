/* SPDX-License-Identifier: MIT
 *
 * The list of modules, and how they are mapped: each apart, behind the frames of others.
 */
#include "mm/module.h"
#include <string.h>
#include "lib/log.h"
#include "mm/address_space.h"

#define BATCH 64 /* frames mapped at once */

static struct module modules[MODULES_MAX]; /* as boot leaves it */
static unsigned int count;

static size_t pages_of(const void *start, size_t size)
{
    unsigned long first = (unsigned long)start / PAGE_SIZE;

    return size ? ((unsigned long)start + size - 1) / PAGE_SIZE - first + 1 : 0;
}

void module_add(const void *start, size_t size, size_t pages, const char *text)
{
    struct module *module = &modules[count];

    if (count == MODULES_MAX || pages != pages_of(start, size)) {
        log_error("module %u, 0x%zx bytes at %p: %s", count, size, start,
                  count == MODULES_MAX ? "there are too many" : "not in memory of its own");
        return;
    }
    count++;
    module->start = start;
    module->size = size;
    if (text)
        memcpy(module->text, text, strnlen(text, MODULE_TEXT_MAX - 1));
}

unsigned int module_count(void)
{
    return count;
}

const struct module *module_get(unsigned int n)
{
    return &modules[n];
}

const void *module_map(const struct module *module)
{
    size_t offset = (unsigned long)module->start & ~PAGE_MASK;
    const char *from = (const char *)module->start - offset;
    size_t pages = pages_of(module->start, module->size);
    char *virt = vspace_alloc(pages);

    for (size_t done = 0; virt && done < pages;) {
        mfn_t frames[BATCH];
        size_t n = MIN(pages - done, BATCH);

        for (size_t i = 0; i < n; i++)
            frames[i] = virt_to_mfn(from + (done + i) * PAGE_SIZE);
        if (map_frames(virt + done * PAGE_SIZE, frames, n, MAP_READ)) {
            unmap_frames(virt, done + n);
            vspace_free(virt, pages);
            return NULL;
        }
        done += n;
    }
    return virt ? virt + offset : NULL;
}
