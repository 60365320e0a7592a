/* SPDX-License-Identifier: MIT
 *
 * What the formats of archives have in common.
 */
#include "libc/archive.h"
#include <errno.h>

int archive_wrong(struct archive *archive, size_t at, const char *what)
{
    archive->at = at;
    archive->wrong = what;
    return -EINVAL;
}

bool archive_ends(struct archive *archive, size_t at)
{
    while (at < archive->size && archive->bytes[at] == '\0')
        at++;
    archive->at = at;
    return at == archive->size;
}

bool archive_open(struct archive *archive, const void *bytes, size_t size)
{
    *archive = (struct archive){ .bytes = bytes, .size = size };
    return cpio_open(archive) || tar_open(archive);
}

int archive_next(struct archive *archive, struct archive_entry *entry)
{
    *entry = (struct archive_entry){ .prefix = "", .path = "", .data = "" };
    return archive->next(archive, entry);
}
