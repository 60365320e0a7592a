/* SPDX-License-Identifier: MIT
 *
 * Archives of every kind of badness, and the tree that good ones become.  Each lies at the end of a
 * block of its own, so that reading behind it is seen.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "libc/archive.h"
#include "libc/tree.h"
#include "tests/host/test.h"

static char made[1 << 20];
static size_t size;
static struct archive archive;

/* --- making them ----------------------------------------------------------------------------- */

static void pad(size_t unit)
{
    while (size % unit)
        made[size++] = '\0';
}

static void put(const void *bytes, size_t len)
{
    memcpy(made + size, bytes, len);
    size += len;
}

/* A file of cpio; `ino` not 0: one of several names. */
static void cpio(const char *path, unsigned int mode, const char *data, unsigned int ino)
{
    size += (size_t)sprintf(
        made + size, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", ino, mode, 0,
        0, ino ? 2 : 1, 1000000000, strlen(data), 8, 1, 0, 0, strlen(path) + 1, 0);
    put(path, strlen(path) + 1);
    pad(4);
    put(data, strlen(data));
    pad(4);
}

static void cpio_end(void)
{
    cpio("TRAILER!!!", 0, "", 0);
}

static void tar_sum(char *header)
{
    unsigned int sum = 0;

    memset(header + 148, ' ', 8);
    for (unsigned int i = 0; i < 512; i++)
        sum += (unsigned char)header[i];
    sprintf(header + 148, "%06o", sum);
}

/* An entry of tar; its header. */
static char *tar(const char *path, char type, const char *link, const char *data)
{
    char *header = made + size;

    memset(header, 0, 512);
    memcpy(header, path, MIN(strlen(path), 100));
    sprintf(header + 100, "%07o", 0640);
    sprintf(header + 124, "%011zo", strlen(data));
    sprintf(header + 136, "%011o", 1000000000);
    header[156] = type;
    memcpy(header + 157, link, MIN(strlen(link), 100));
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    tar_sum(header);
    size += 512;
    put(data, strlen(data));
    pad(512);
    return header;
}

static void tar_end(void)
{
    memset(made + size, 0, 1024);
    size += 1024;
}

/* All that is made so far goes into the tree below `at`. */
static int add(const char *at)
{
    static char *copies[1000]; /* stay: the tree points there */
    static unsigned int nr_copies;
    char *copy = copies[nr_copies++] = malloc(size + 1);

    memcpy(copy + 1, made, size);
    CHECK(archive_open(&archive, copy + 1, size));
    size = 0;
    return tree_add_archive(&archive, at);
}

/* It is refused, for this reason, at this byte; and nothing of it is there. */
static void refused(const char *why, size_t at)
{
    CHECK_EQ(add(""), -EINVAL);
    CHECK_STR(archive.wrong, why);
    CHECK_EQ(archive.at, at);
    CHECK(tree_root.first == NULL);
}

static const struct node *find(const char *path)
{
    const struct node *node = NULL;

    CHECK_EQ(tree_find(path, true, &node), 0);
    return node ? node : &tree_root;
}

static int why_not(const char *path)
{
    const struct node *node;

    return tree_find(path, true, &node);
}

static void holds(const char *path, const char *text)
{
    const struct node *node = find(path);

    CHECK(node->content != NULL);
    if (!node->content)
        return;
    CHECK_EQ(node->content->size, strlen(text));
    CHECK_EQ(memcmp(node->content->data, text, strlen(text)), 0);
}

/* --- cpio ------------------------------------------------------------------------------------ */

TEST(cpio_becomes_a_tree)
{
    cpio(".", 040755, "", 0);
    cpio("dir", 040700, "", 0);
    cpio("dir/a", 0100644, "hello", 0);
    cpio("/abs/./olute//file", 0100600, "x", 0);
    cpio("null", 020666, "", 0);
    cpio("dir/empty", 0100000, "", 0);
    cpio_end();
    pad(512);
    CHECK_EQ(add(""), 6);
    holds("dir/a", "hello");
    holds("/dir//./a", "hello");
    holds("/abs/olute/../olute/file", "x");
    holds("/dir/empty", "");
    CHECK_EQ(find("/dir/a")->mode, S_IFREG | 0644);
    CHECK_EQ(find("/dir/a")->mtime, 1000000000);
    CHECK_EQ(find("/dir/")->mode, S_IFDIR | 0700);
    CHECK_EQ(find("/abs")->mode, S_IFDIR | 0555);
    CHECK_EQ(find("/..")->mode, S_IFDIR | 0755);
    CHECK_EQ(why_not("/null"), -ENOENT);
    CHECK_EQ(why_not("/dir/a/"), -ENOTDIR);
    CHECK_EQ(why_not("/dir/a/.."), -ENOTDIR);
    CHECK_EQ(why_not(""), -ENOENT);
}

TEST(cpio_one_behind_the_other)
{
    cpio("a", 0100644, "1", 7);
    cpio_end();
    pad(512);
    cpio("b", 0100644, "2", 7); /* another file than the first's */
    cpio_end();
    CHECK_EQ(add(""), 2);
    holds("a", "1");
    holds("b", "2");
}

TEST(cpio_hard_links_have_their_data_once)
{
    cpio("first", 0100644, "", 7);
    cpio("other", 0100644, "", 8);
    cpio("last", 0100644, "data", 7);
    cpio("more", 0100644, "", 7);
    cpio_end();
    CHECK_EQ(add("at/some/place"), 4);
    holds("/at/some/place/first", "data");
    holds("/at/some/place/more", "data");
    holds("/at/some/place/other", "");
    CHECK_EQ(find("/at/some/place/first")->content->links, 3);
    CHECK(find("/at/some/place/first")->content == find("/at/some/place/last")->content);
}

TEST(cpio_cut_anywhere_is_refused)
{
    size_t whole;

    cpio("dir", 040700, "", 0);
    cpio("dir/a", 0100644, "hello, hello, hello", 0);
    cpio_end();
    whole = size;
    for (size_t cut = 6; cut < whole; cut++) {
        bool trailer = cut >= whole - 3; /* its padding may be missing */

        size = cut;
        CHECK_EQ(add(""), trailer ? 2 : -EINVAL);
        CHECK(trailer || (archive.wrong && tree_root.first == NULL));
    }
}

TEST(cpio_without_end)
{
    cpio("a", 0100644, "1", 0);
    refused("the end is missing (TRAILER!!!)", 116);
}

TEST(cpio_numbers_of_all_sizes)
{
    cpio("a", 0100644, "1", 0);
    memcpy(made + 54, "ffffffff", 8); /* its size */
    cpio_end();
    refused("the data go beyond the end", 0);
    cpio("a", 0100644, "1", 0);
    memcpy(made + 94, "ffffffff", 8); /* the name's */
    refused("the name goes beyond the end", 0);
    cpio("a", 0100644, "1", 0);
    memcpy(made + 94, "00000000", 8);
    refused("the name goes beyond the end", 0);
    cpio("a", 0100644, "1", 0);
    memcpy(made + 94, "00000001", 8);
    refused("the name does not end where it should", 110);
    cpio("a", 0100644, "1", 0);
    memcpy(made + 54, "0000001g", 8);
    refused("a number is not hexadecimal", 0);
    cpio("a", 0100644, "1", 0);
    memcpy(made + 54, "      1 ", 8);
    refused("a number is not hexadecimal", 0);
}

TEST(cpio_something_behind_the_end)
{
    cpio_end();
    pad(64);
    made[size++] = 'x';
    refused("something else behind the end", 128);
}

/* --- paths ----------------------------------------------------------------------------------- */

TEST(path_that_leaves_the_archive)
{
    cpio("a/../../b", 0100644, "1", 0);
    cpio_end();
    refused("a path has .. in it", 0);
    cpio("..", 040755, "", 0);
    cpio_end();
    refused("a path has .. in it", 0);
    tar("good", '0', "", "");
    tar("../b", '0', "", "");
    tar_end();
    refused("a path has .. in it", 512);
}

TEST(path_of_any_length)
{
    char path[2000];

    memset(path, 'n', sizeof(path));
    path[255] = '\0';
    cpio(path, 0100644, "1", 0);
    cpio_end();
    CHECK_EQ(add(""), 1);
    holds(path, "1");
    path[255] = 'n';
    path[256] = '\0';
    CHECK_EQ(why_not(path), -ENAMETOOLONG);
    path[256] = 'n';
    for (unsigned int i = 1; i < 2000; i += 2)
        path[i] = '/';
    path[1999] = '\0';
    cpio(path, 0100644, "deep", 0);
    cpio_end();
    CHECK_EQ(add(""), 1);
    holds(path, "deep");
}

TEST(path_too_long_is_refused)
{
    char path[257];

    memset(path, 'n', sizeof(path));
    path[256] = '\0';
    cpio(path, 0100644, "1", 0);
    cpio_end();
    refused("a name is longer than 255 bytes", 0);
}

TEST(path_twice_is_the_last_one)
{
    cpio("a", 0100644, "first", 3);
    cpio("b", 0100644, "", 3);
    cpio("a", 0100600, "second", 0);
    cpio_end();
    CHECK_EQ(add(""), 3);
    holds("a", "second");
    holds("b", "first");
    CHECK_EQ(find("b")->content->links, 1);
    tar("a", '0', "", "third");
    tar_end();
    CHECK_EQ(add(""), 1);
    holds("a", "third");
    CHECK(tree_root.first->next->next == NULL);
}

TEST(path_through_a_file)
{
    cpio("a", 0100644, "1", 0);
    cpio("a/b", 0100644, "2", 0);
    cpio_end();
    CHECK_EQ(add(""), -EINVAL);
    CHECK_STR(archive.wrong, "its path leads through what is no directory");
    CHECK_EQ(archive.at, 116);
    holds("a", "1");
    cpio("a", 040755, "", 0);
    cpio_end();
    CHECK_EQ(add(""), -EINVAL);
    cpio(".", 0100755, "", 0);
    cpio_end();
    CHECK_EQ(add(""), -EINVAL);
    CHECK_STR(archive.wrong, "something else has that name, and one of the two is a directory");
}

TEST(file_that_is_no_archive)
{
    CHECK_STR(tree_add_file("/etc/conf", "text", 4), NULL);
    CHECK_STR(tree_add_file("module1", "", 0), NULL);
    holds("/etc/conf", "text");
    holds("/module1", "");
    CHECK_STR(tree_add_file("/etc", "", 0),
              "something else has that name, and one of the two is a directory");
    CHECK_STR(tree_add_file("/../x", "", 0), "a path has .. in it");
    CHECK_STR(tree_add_file("/", "", 0),
              "something else has that name, and one of the two is a directory");
}

/* --- links ----------------------------------------------------------------------------------- */

TEST(symbolic_links)
{
    const struct node *node;

    cpio("dir/file", 0100644, "1", 0);
    cpio("dir/up", 0120777, "../dir/./file", 0);
    cpio("to", 0120777, "dir", 0);
    cpio("abs", 0120777, "/dir/file", 0);
    cpio("round", 0120777, "round", 0);
    cpio("nowhere", 0120777, "no/where", 0);
    cpio("empty", 0120777, "", 0);
    cpio_end();
    CHECK_EQ(add(""), 7);
    holds("dir/up", "1");
    holds("to/up", "1");
    holds("abs", "1");
    CHECK_EQ(why_not("abs/"), -ENOTDIR);
    CHECK_EQ(why_not("round"), -ELOOP);
    CHECK_EQ(why_not("nowhere"), -ENOENT);
    CHECK_EQ(why_not("empty"), -ENOENT);
    CHECK_EQ(tree_find("to", false, &node), 0);
    CHECK(S_ISLNK(node->mode));
    CHECK_EQ(tree_find("to/", false, &node), 0);
    CHECK(S_ISDIR(node->mode));
}

TEST(symbolic_links_in_a_row)
{
    char name[2] = "a", to[2] = "b";

    for (; to[0] <= 'j'; name[0]++, to[0]++)
        cpio(name, 0120777, to, 0);
    cpio("j", 0100644, "1", 0);
    cpio_end();
    CHECK_EQ(add(""), 10);
    holds("c", "1");
    CHECK_EQ(why_not("a"), -ELOOP);
}

/* --- tar ------------------------------------------------------------------------------------- */

TEST(tar_becomes_a_tree)
{
    char *header;

    tar("./", '5', "", "");
    tar("dir/", '5', "", "");
    tar("dir/a", '0', "", "hello");
    tar("old", '\0', "", "x");
    tar("hard", '1', "./dir/a", "");
    tar("soft", '2', "dir/a", "");
    tar("device", '3', "", "");
    header = tar("name", '0', "", "prefixed");
    strcpy(header + 345, "some/prefix");
    tar_sum(header);
    tar_end();
    CHECK_EQ(add("/mnt"), 8);
    holds("/mnt/dir/a", "hello");
    holds("/mnt/old", "x");
    holds("/mnt/hard", "hello");
    holds("/mnt/soft", "hello");
    holds("/mnt/some/prefix/name", "prefixed");
    CHECK_EQ(find("/mnt/hard")->content->links, 2);
    CHECK_EQ(find("/mnt/dir/a")->mode, S_IFREG | 0640);
    CHECK_EQ(why_not("/mnt/device"), -ENOENT);
}

TEST(tar_long_names)
{
    char path[302], record[400], link[120];
    char *header;

    memset(path, 'p', 299);
    path[150] = '/';
    path[299] = '\0';
    tar("././@LongLink", 'L', "", path);
    header = tar("cut", '0', "", "gnu");
    memcpy(header + 257, "ustar  ", 8);
    memcpy(header + 345, "no prefix", 9);
    tar_sum(header);
    memset(link, 'l', sizeof(link));
    link[119] = '\0';
    tar(link + 40, '0', "", "target"); /* 79 bytes */
    tar("././@LongLink", 'K', "", link + 40);
    tar("short", '1', "cut", "");
    sprintf(record, "%d path=%s-\n", 3 + 1 + 5 + 300 + 1, path);
    strcat(record, "9 size=3\n20 mtime=1000000.12\n");
    tar("PaxHeaders/x", 'x', "", record);
    header = tar("cut", '0', "", "pax");
    memset(header + 124, '7', 11); /* the record's counts */
    tar_sum(header);
    tar("PaxHeaders/g", 'g', "", "nonsense");
    tar("last", '0', "", "!");
    tar_end();
    CHECK_EQ(add(""), 5);
    holds(path, "gnu");
    holds("short", "target");
    strcat(path, "-");
    holds(path, "pax");
    holds("last", "!");
}

TEST(tar_damage)
{
    tar("a", '0', "", "1");
    made[3]++;
    tar_end();
    refused("no header, or a damaged one", 0);
    tar("a", '0', "", "1");
    tar("b", '0', "", "1")[0]++;
    tar_end();
    refused("no header, or a damaged one", 1024);
    tar("a", '0', "", "1");
    refused("the end is missing (blocks of zeroes)", 1024);
    tar("a", '0', "", "12");
    size -= 511;
    refused("the data go beyond the end", 0);
    tar("a", '0', "", "1");
    tar_end();
    made[size - 1] = 'x';
    refused("something else behind the end", 2047);
    tar("a", 'S', "", "1");
    tar_end();
    refused("sparse files and several volumes are not known", 0);
}

static void tar_size(const char *digits, const char *why)
{
    char *header = tar("a", '0', "", "1");

    memcpy(header + 124, digits, 12);
    tar_sum(header);
    tar_end();
    refused(why, 0);
}

TEST(tar_sizes)
{
    tar_size("77777777777", "the data go beyond the end");
    tar_size("777777777777", "the data go beyond the end");
    tar_size("0000000000x", "the size is no octal number of 64 bits");
    tar_size("00000000008", "the size is no octal number of 64 bits");
    tar_size("\x80\0\0\0\0\0\0\0\0\0\1", "the size is no octal number of 64 bits");
    tar_size("-0000000001", "the size is no octal number of 64 bits");
}

TEST(tar_pax_records_damaged)
{
    static const char *const records[] = {
        "x",
        "5",
        "99 path=a\n",
        "3 \n",
        "0 path=a\n",
        "10 path=aaa",
        "8 path\n",
        "18446744073709551617 path=a\n",
        "25 size=999999999999999999\n",
        "29 size=99999999999999999999\n",
        "9 size=a\n",
        "22 GNU.sparse.size=10\n",
        " 9 path=a\n",
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(records); i++) {
        tar("x", 'x', "", records[i]);
        tar("a", '0', "", "1");
        tar_end();
        CHECK_EQ(add(""), -EINVAL);
        CHECK(archive.wrong != NULL);
        CHECK(tree_root.first == NULL);
    }
}

TEST(tar_links_that_lead_nowhere)
{
    tar("self", '1', "self", "");
    tar_end();
    refused("a link leads to no file that comes before it", 0);
    tar("d", '5', "", "");
    tar("to", '1', "d", "");
    tar_end();
    CHECK_EQ(add(""), -EINVAL);
    CHECK_EQ(archive.at, 512);
    CHECK_EQ(why_not("to"), -ENOENT);
}

TEST(neither_of_them)
{
    static const char text[600] = "070707";

    for (size_t len = 0; len < sizeof(text); len++) {
        char *copy = malloc(len + 1);

        memcpy(copy + 1, text, len);
        CHECK(!archive_open(&archive, copy + 1, len));
        free(copy);
    }
}
