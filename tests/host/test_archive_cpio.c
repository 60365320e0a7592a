/* SPDX-License-Identifier: MIT
 *
 * Archives of cpio's, good and bad.
 */
#include "tests/host/archive_make.h"

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
