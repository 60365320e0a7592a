/* SPDX-License-Identifier: MIT
 *
 * cpio archives in the format "newc" (cpio -H newc), also several of them one behind the other, as
 * Linux takes them for an initramfs.  Follows Linux Documentation/driver-api/early-userspace/
 * buffer-format.rst.
 */
#include <errno.h>
#include <string.h>
#include "lib/types.h"
#include "libc/archive.h"

#define HEADER  110 /* bytes: the magic, then 13 numbers of 8 hexadecimal digits */
#define TRAILER "TRAILER!!!"

#define TYPE_MASK    0170000
#define TYPE_FILE    0100000
#define TYPE_DIR     0040000
#define TYPE_SYMLINK 0120000

enum field { INO, MODE, UID, GID, NLINK, MTIME, FILESIZE, MAJOR, MINOR, RMAJOR, RMINOR, NAMESIZE };
#define FIELDS 13

/* 070701, or 070702 with sums, which are not looked at. */
static bool is_header(const struct archive *archive, size_t at)
{
    return archive->size - at >= 6 && memcmp(archive->bytes + at, "07070", 5) == 0 &&
           (archive->bytes[at + 5] == '1' || archive->bytes[at + 5] == '2');
}

static bool read_fields(const char *digits, uint32_t fields[FIELDS])
{
    for (unsigned int i = 0; i < FIELDS * 8; i++, digits++) {
        unsigned char digit = *digits, letter = (digit | 32) - 'a';
        unsigned int value = digit >= '0' && digit <= '9' ? digit - '0' : letter + 10;

        if (value > 15)
            return false;
        fields[i / 8] = fields[i / 8] << 4 | value;
    }
    return true;
}

static void fill(struct archive_entry *entry, const uint32_t *fields, unsigned int part)
{
    uint32_t device = fields[MAJOR] << 20 ^ fields[MINOR] ^ part * 0x9e3779b9;
    uint32_t type = fields[MODE] & TYPE_MASK;

    entry->type = type == TYPE_FILE      ? ENTRY_FILE
                  : type == TYPE_DIR     ? ENTRY_DIRECTORY
                  : type == TYPE_SYMLINK ? ENTRY_SYMLINK
                                         : ENTRY_OTHER;
    entry->permissions = fields[MODE] & 07777;
    entry->mtime = fields[MTIME];
    if (type == TYPE_FILE && fields[NLINK] > 1)
        entry->same = (uint64_t)fields[INO] << 32 | device | 1ULL << 63;
}

/* The entry at archive->at. Its numbers have 32 bits, sums of them are size_t: nothing wraps. */
static int read_entry(struct archive *archive, struct archive_entry *entry)
{
    uint32_t fields[FIELDS] = { 0 };
    size_t at = archive->at, name_at = at + HEADER, data_at;

    if (archive->size - at < HEADER)
        return archive_wrong(archive, at, "the end is missing (TRAILER!!!)");
    if (!is_header(archive, at))
        return archive_wrong(archive, at, "no header (070701)");
    if (!read_fields(archive->bytes + at + 6, fields))
        return archive_wrong(archive, at, "a number is not hexadecimal");
    data_at = ROUND_UP(name_at + fields[NAMESIZE], 4);
    if (fields[NAMESIZE] == 0 || name_at + fields[NAMESIZE] > archive->size)
        return archive_wrong(archive, at, "the name goes beyond the end");
    entry->path = archive->bytes + name_at;
    entry->path_len = strnlen(entry->path, fields[NAMESIZE]);
    if (entry->path_len != fields[NAMESIZE] - 1)
        return archive_wrong(archive, name_at, "the name does not end where it should");
    if (fields[FILESIZE] > archive->size - MIN(data_at, archive->size))
        return archive_wrong(archive, at, "the data go beyond the end");
    entry->data = archive->bytes + MIN(data_at, archive->size);
    entry->size = fields[FILESIZE];
    fill(entry, fields, archive->part);
    archive->at = MIN(ROUND_UP(data_at + fields[FILESIZE], 4), archive->size);
    return 1;
}

static int cpio_next(struct archive *archive, struct archive_entry *entry)
{
    int rc;

    while ((rc = read_entry(archive, entry)) == 1 && strcmp(entry->path, TRAILER) == 0) {
        if (archive_ends(archive, archive->at))
            return 0;
        if (!is_header(archive, archive->at) || archive->at % 4)
            return archive_wrong(archive, archive->at, "something else behind the end");
        archive->part++;
    }
    return rc;
}

bool cpio_open(struct archive *archive)
{
    archive->kind = "cpio";
    archive->next = cpio_next;
    return is_header(archive, 0);
}
