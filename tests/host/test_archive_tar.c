/* SPDX-License-Identifier: MIT
 *
 * Archives of tar's, good and bad.
 */
#include "tests/host/archive_make.h"

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
