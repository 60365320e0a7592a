/* SPDX-License-Identifier: MIT
 *
 * tar archives: POSIX.1-1988 (ustar) with the long names of GNU tar (types L and K) and of
 * POSIX.1-2001 (pax: type x, of whose records path, linkpath and size are used).
 */
#include <errno.h>
#include <string.h>
#include "lib/types.h"
#include "libc/archive.h"

#define BLOCK 512

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6],
        version[2], user[32], group[32], device[16], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a block");

struct text {
    const char *start; /* NULL: not there */
    size_t len;
};

/* What entries in front of the real one said of it. */
struct ahead {
    struct text path, link;
    bool has_size;
    uint64_t size;
};

static struct text field(const char *start, size_t size)
{
    return (struct text){ start, strnlen(start, size) };
}

/* Digits of `base` up to a blank, a NUL or the end, blanks in front. False: there is something
 * else, or it is more than *value holds; none at all is 0. */
static bool read_number(const char *digits, size_t len, unsigned int base, uint64_t *value)
{
    size_t i = 0;

    *value = 0;
    while (i < len && digits[i] == ' ')
        i++;
    for (; i < len && digits[i] != '\0' && digits[i] != ' '; i++) {
        unsigned int digit = (unsigned char)digits[i] - '0';

        if (digit >= base || __builtin_mul_overflow(*value, base, value) ||
            __builtin_add_overflow(*value, digit, value))
            return false;
    }
    return true;
}

static bool sum_is_right(const struct header *header)
{
    const unsigned char *bytes = (const void *)header;
    uint64_t said;
    unsigned int sum = 8 * ' '; /* in place of itself */

    for (size_t i = 0; i < BLOCK; i++)
        sum += bytes[i];
    for (size_t i = 0; i < sizeof(header->sum); i++)
        sum -= (unsigned char)header->sum[i];
    return read_number(header->sum, sizeof(header->sum), 8, &said) && said == sum;
}

/* One record of pax, "LENGTH KEY=VALUE\n", at the start of `len` bytes; its length, or 0: it is
 * none. */
static size_t read_record(const char *record, size_t len, struct ahead *ahead)
{
    const char *blank = memchr(record, ' ', MIN(len, 20));
    const char *equals, *key = blank ? blank + 1 : record;
    struct text value;
    uint64_t length;

    if (!blank || !read_number(record, blank - record, 10, &length) || length > len ||
        length < (size_t)(key - record) + 2 || record[length - 1] != '\n')
        return 0;
    equals = memchr(key, '=', record + length - 1 - key);
    if (!equals)
        return 0;
    value = field(equals + 1, record + length - 1 - (equals + 1));
    if (equals - key == 4 && memcmp(key, "path", 4) == 0) {
        ahead->path = value;
    } else if (equals - key == 8 && memcmp(key, "linkpath", 8) == 0) {
        ahead->link = value;
    } else if (equals - key == 4 && memcmp(key, "size", 4) == 0) {
        ahead->has_size = true;
        if (!read_number(value.start, value.len, 10, &ahead->size))
            return 0;
    } else if (equals - key > 10 && memcmp(key, "GNU.sparse", 10) == 0) {
        return 0;
    }
    return length;
}

static bool read_records(const char *data, size_t len, struct ahead *ahead)
{
    while (len) {
        size_t length = read_record(data, len, ahead);

        if (length == 0)
            return false;
        data += length;
        len -= length;
    }
    return true;
}

static int type_of(const struct header *header)
{
    switch (header->type) {
    case '1':
        return ENTRY_HARD_LINK;
    case '2':
        return ENTRY_SYMLINK;
    case '5':
        return ENTRY_DIRECTORY;
    case '\0':
    case '0':
    case '7':
        return ENTRY_FILE;
    }
    return ENTRY_OTHER;
}

static void fill(struct archive_entry *entry, const struct header *header,
                 const struct ahead *ahead)
{
    struct text path = ahead->path, link = ahead->link;
    uint64_t number;

    if (!path.start) {
        path = field(header->name, sizeof(header->name));
        if (header->magic[5] == '\0') { /* GNU's has a blank there, and no prefix */
            entry->prefix = header->prefix;
            entry->prefix_len = field(header->prefix, sizeof(header->prefix)).len;
        }
    }
    if (!link.start)
        link = field(header->link, sizeof(header->link));
    entry->path = path.start;
    entry->path_len = path.len;
    entry->type = type_of(header);
    if (entry->type == ENTRY_SYMLINK || entry->type == ENTRY_HARD_LINK) {
        entry->data = link.start;
        entry->size = link.len;
    }
    read_number(header->mode, sizeof(header->mode), 8, &number);
    entry->permissions = number & 07777;
    read_number(header->mtime, sizeof(header->mtime), 8, &number);
    entry->mtime = (int64_t)number;
}

/* Is this no file, but says something of the next one, or of all? */
static bool is_ahead(char type)
{
    return type == 'x' || type == 'g' || type == 'L' || type == 'K';
}

/* An entry that says something of the next one, with its `size` bytes at `data`. False: it is
 * wrong. */
static bool look_ahead(char type, const char *data, size_t size, struct ahead *ahead)
{
    if (type == 'L')
        ahead->path = field(data, size);
    else if (type == 'K')
        ahead->link = field(data, size);
    else if (type == 'x')
        return read_records(data, size, ahead);
    return true;
}

/* The header at archive->at, with the size of what lies behind it. */
static int read_header(struct archive *archive, const struct ahead *ahead, uint64_t *size)
{
    const struct header *header = (const void *)(archive->bytes + archive->at);

    if (archive->size - archive->at < BLOCK)
        return archive_wrong(archive, archive->at, "the end is missing (blocks of zeroes)");
    if (memcmp(header->magic, "ustar", 5) != 0 || !sum_is_right(header))
        return archive_wrong(archive, archive->at, "no header, or a damaged one");
    if (!read_number(header->size, sizeof(header->size), 8, size))
        return archive_wrong(archive, archive->at, "the size is no octal number of 64 bits");
    if (header->type >= '1' && header->type <= '6')
        *size = 0; /* whatever it says */
    else if (ahead->has_size && !is_ahead(header->type))
        *size = ahead->size;
    if (*size > archive->size - archive->at - BLOCK)
        return archive_wrong(archive, archive->at, "the data go beyond the end");
    if (header->type == 'S' || header->type == 'M')
        return archive_wrong(archive, archive->at,
                             "sparse files and several volumes are not known");
    return 0;
}

static int tar_next(struct archive *archive, struct archive_entry *entry)
{
    static const char zeroes[BLOCK];
    struct ahead ahead = { .size = 0 };

    for (;;) {
        const struct header *header = (const void *)(archive->bytes + archive->at);
        const char *data = archive->bytes + archive->at + BLOCK;
        uint64_t size = 0;

        if (archive->size - archive->at >= BLOCK && memcmp(header, zeroes, BLOCK) == 0)
            return archive_ends(archive, archive->at)
                       ? 0
                       : archive_wrong(archive, archive->at, "something else behind the end");
        if (read_header(archive, &ahead, &size))
            return -EINVAL;
        if (!look_ahead(header->type, data, size, &ahead))
            return archive_wrong(archive, archive->at,
                                 "a pax record is damaged or of a sparse file");
        archive->at += BLOCK + MIN(ROUND_UP(size, BLOCK), archive->size - archive->at - BLOCK);
        if (is_ahead(header->type))
            continue;
        entry->data = data;
        entry->size = size;
        fill(entry, header, &ahead);
        return 1;
    }
}

bool tar_open(struct archive *archive)
{
    const struct header *header = (const void *)archive->bytes;

    archive->kind = "tar";
    archive->next = tar_next;
    return archive->size >= BLOCK && memcmp(header->magic, "ustar", 5) == 0;
}
