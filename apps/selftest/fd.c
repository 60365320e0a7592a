/* SPDX-License-Identifier: MIT
 *
 * File descriptors and the console as a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "console/console.h"
#include "libc/fd.h"
#include "selftest.h"

/* A file that remembers what was written and gives it back. */
struct memo {
    char text[64];
    size_t written, read;
    unsigned int closed;
};

static ssize_t memo_read(struct file *file, void *out, size_t len)
{
    struct memo *memo = file_data(file);

    len = MIN(len, memo->written - memo->read);
    if (len == 0 && file_flags(file) & O_NONBLOCK)
        return -EAGAIN;
    memcpy(out, memo->text + memo->read, len);
    memo->read += len;
    return (ssize_t)len;
}

static ssize_t memo_write(struct file *file, const void *data, size_t len)
{
    struct memo *memo = file_data(file);

    len = MIN(len, sizeof(memo->text) - memo->written);
    if (len == 0)
        return -ENOSPC;
    memcpy(memo->text + memo->written, data, len);
    memo->written += len;
    return (ssize_t)len;
}

static unsigned int memo_ready(struct file *file)
{
    struct memo *memo = file_data(file);

    return memo->written > memo->read ? FD_READABLE : 0;
}

static void memo_close(struct file *file)
{
    ((struct memo *)file_data(file))->closed++;
}

static const struct file_ops memo_ops = {
    .read = memo_read, .write = memo_write, .ready = memo_ready, .close = memo_close
};
static const struct file_ops nothing_ops;

TEST(fd_read_write_close)
{
    struct memo memo = { .written = 0 };
    char text[16];
    int fd = fd_open(&memo_ops, &memo, O_RDWR);

    REQUIRE_EQ(fd, 3);
    CHECK_EQ(fd_ready(fd), 0);
    CHECK_EQ(write(fd, "hello", 5), 5);
    CHECK_EQ(fd_ready(fd), FD_READABLE);
    CHECK_EQ(read(fd, text, 3), 3);
    CHECK_EQ(read(fd, text + 3, 13), 2);
    CHECK_EQ(memcmp(text, "hello", 5), 0);
    CHECK_EQ(read(fd, text, 1), 0);
    CHECK_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
    CHECK_EQ(read(fd, text, 1), -1);
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), -1);
    CHECK_EQ(errno, ESPIPE);
    CHECK_EQ(isatty(fd), 0);
    CHECK_EQ(errno, ENOTTY);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(memo.closed, 1);
    CHECK_EQ(close(fd), -1);
    CHECK_EQ(errno, EBADF);
    CHECK_EQ(read(fd, text, 1), -1);
    CHECK_EQ(errno, EBADF);
    CHECK_EQ(write(-1, text, 1), -1);
    CHECK_EQ(errno, EBADF);
}

TEST(fd_dup_shares_one_file)
{
    struct memo memo = { .written = 0 }, other = { .written = 0 };
    int fd = fd_open(&memo_ops, &memo, O_RDWR), copy = dup(fd), third;

    REQUIRE(fd >= 0 && copy > fd);
    CHECK_EQ(write(copy, "x", 1), 1);
    CHECK_EQ(memo.written, 1);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(memo.closed, 0);
    third = fd_open(&memo_ops, &other, O_WRONLY);
    CHECK_EQ(third, fd); /* the lowest */
    CHECK_EQ(read(third, NULL, 1), -1);
    CHECK_EQ(errno, EBADF); /* for writing only */
    CHECK_EQ(dup2(copy, third), third);
    CHECK_EQ(other.closed, 1);
    CHECK_EQ(dup2(copy, copy), copy);
    CHECK_EQ(dup2(50, third), -1);
    CHECK_EQ(errno, EBADF);
    CHECK_EQ(dup2(copy, FD_LIMIT), -1);
    CHECK_EQ(errno, EBADF);
    CHECK_EQ(fcntl(copy, F_DUPFD, 20), 20);
    CHECK_EQ(close(20), 0);
    CHECK_EQ(close(copy), 0);
    CHECK_EQ(memo.closed, 0);
    CHECK_EQ(close(third), 0);
    CHECK_EQ(memo.closed, 1);
}

TEST(fd_table_grows_to_its_limit)
{
    static struct memo memo;
    int fd = 0, last = 0;

    memo = (struct memo){ .written = 0 };
    while ((fd = fd_open(&memo_ops, &memo, O_RDWR)) >= 0)
        last = fd;
    CHECK_EQ(fd, -EMFILE);
    CHECK_EQ(last, FD_LIMIT - 1);
    CHECK_EQ(dup(last), -1);
    CHECK_EQ(errno, EMFILE);
    for (fd = 3; fd <= last; fd++)
        CHECK_EQ(close(fd), 0);
    CHECK_EQ(memo.closed, FD_LIMIT - 3);
}

TEST(fd_without_operations_refuses)
{
    int fd = fd_open(&nothing_ops, NULL, O_RDWR);
    char byte = 0;

    REQUIRE(fd >= 0);
    CHECK_EQ(read(fd, &byte, 1), -1);
    CHECK_EQ(write(fd, &byte, 1), -1);
    CHECK_EQ(close(fd), 0);
}

TEST(fd_stdio_on_descriptor)
{
    struct memo memo = { .written = 0 };
    int fd = fd_open(&memo_ops, &memo, O_RDWR), a = 0, b = 0;
    FILE *file = fdopen(fd, "r+");

    REQUIRE(file != NULL);
    CHECK(fprintf(file, "%d %d\n", 12, 34) > 0);
    CHECK_EQ(memo.written, 0); /* buffered */
    CHECK_EQ(fflush(file), 0);
    CHECK_EQ(memo.written, 6);
    CHECK_EQ(memcmp(memo.text, "12 34\n", 6), 0);
    CHECK_EQ(fscanf(file, "%d %d", &a, &b), 2);
    CHECK(a == 12 && b == 34);
    CHECK_EQ(fclose(file), 0);
    CHECK_EQ(memo.closed, 1);
}

TEST(console_is_a_terminal)
{
    struct stat st;

    for (int fd = 0; fd <= 2; fd++) {
        CHECK_EQ(isatty(fd), 1);
        CHECK_EQ(fstat(fd, &st), 0);
        CHECK(S_ISCHR(st.st_mode));
    }
    CHECK(fd_ready(1) & FD_WRITABLE);
    CHECK_EQ(fd_ready(77), -EBADF);
}

TEST(console_read_does_not_wait_when_told)
{
    char byte;
    int got;

    CHECK_EQ(fcntl(0, F_SETFL, O_NONBLOCK), 0);
    console_set_mode(CONSOLE_RAW);
    got = read(0, &byte, 1);
    CHECK(got >= 0 || errno == EAGAIN); /* somebody may have typed */
    console_set_mode(CONSOLE_LINE);
    CHECK_EQ(read(0, &byte, 0), 0);
    CHECK_EQ(fcntl(0, F_SETFL, 0), 0);
}

TEST(console_output_is_counted_and_drained)
{
    struct console_stats before, after;
    char line[101];

    memset(line, 'x', 100);
    memcpy(line, "# ", 2);
    line[100] = '\n';
    fflush(stdout);
    console_get_stats(&before);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(write(1, line, sizeof(line)), sizeof(line));
    CHECK_EQ(console_drain(time_after_ns(10 * NS_PER_S)), 0);
    console_get_stats(&after);
    CHECK(after.bytes_out - before.bytes_out >= 8 * sizeof(line));
    CHECK_EQ(after.dropped, before.dropped);
}

static void shutdown_wanted(enum control_request request, void *arg)
{
    (void)request, (void)arg;
}

TEST(control_no_request_yet)
{
    CHECK_EQ(xenolith_shutdown_requested(), CONTROL_NONE);
    xenolith_on_shutdown(shutdown_wanted, NULL);
    xenolith_on_shutdown(NULL, NULL); /* the default again */
}

TEST(xenolith_info_is_filled)
{
    struct xenolith_info info;

    REQUIRE_EQ(xenolith_get_info(&info), 0);
    CHECK(info.domid > 0 && info.domid < DOMID_FIRST_RESERVED);
    CHECK(info.name[0] != '\0');
    CHECK_EQ(strlen(info.uuid), 36);
    CHECK(strstr("pv pvh hvm", info.guest_type) != NULL);
    CHECK(info.vcpus >= 1 && info.vcpus_up >= 1 && info.vcpus_up <= info.vcpus);
    CHECK(info.memory > info.memory_free && info.memory_free > 0);
    CHECK_EQ(info.xen_version[0], '4');
    printf("# domain %u, %s on Xen %s, %u vCPUs, %llu MiB\n", info.domid, info.guest_type,
           info.xen_version, info.vcpus, (unsigned long long)info.memory >> 20);
}
