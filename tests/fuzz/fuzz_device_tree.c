/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the reading of device trees: a sound one of which the input changes bytes, each by an
 * offset and a value; or, if its first byte says so, the input itself.
 */
#include <stdlib.h>
#include <string.h>
#include "arch/page.h"
#include "boot/device_tree.h"
#include "lib/vcpu_set.h"
#include "tests/fuzz/guest.h"
#include "tests/host/sample_device_tree.h"

void other_end_notified(void)
{
}

bool other_end_turn(void)
{
    return false;
}

static size_t spoil(uint8_t *blob, const uint8_t *data, size_t size)
{
    size_t len = sample_device_tree(blob, -1);

    for (; size >= 3; data += 3, size -= 3)
        blob[(data[0] | (size_t)data[1] << 8) % len] = data[2];
    return len;
}

static void check(const struct device_tree *tree, int rc)
{
    for (unsigned int i = 0; i < tree->memory.nr; i++)
        MUST(tree->memory.ranges[i].start < tree->memory.ranges[i].end &&
             (tree->memory.ranges[i].start | tree->memory.ranges[i].end) % PAGE_SIZE == 0);
    MUST(tree->memory.nr <= MEMORY_RANGES);
    if (rc)
        return;
    MUST(tree->memory.nr > 0 && tree->nr_cpus >= 1 && tree->nr_cpus <= MAX_VCPUS);
    MUST(tree->upcall_irq >= 16 && tree->upcall_irq < 32);
    MUST(tree->timer_irq >= 16 && tree->timer_irq < 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct device_tree *tree = calloc(1, sizeof(*tree));
    uint8_t *blob = malloc(SAMPLE_MAX), *exact;
    size_t len;

    if (size > 0 && size <= SAMPLE_MAX && data[0] == 0xff) {
        len = size - 1;
        memcpy(blob, data + 1, len);
    } else {
        len = spoil(blob, data, size);
    }
    exact = malloc(len + (len == 0)); /* ASan guards its end */
    memcpy(exact, blob, len);
    check(tree, device_tree_decode(exact, len, tree));
    free(exact);
    free(blob);
    free(tree);
    return 0;
}
