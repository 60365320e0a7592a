/* SPDX-License-Identifier: MIT
 *
 * Archives of every kind of badness: paths and links, as either format has them.
 */
#include "tests/host/archive_make.h"

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
