/* SPDX-License-Identifier: MIT
 *
 * Bytes through streams: much of them, in pieces of all sizes, peeked at, waited for.
 */
#include <sys/ioctl.h>
#include <sys/uio.h>
#include "sockets.h"

#define MUCH (8u << 20)

struct sender {
    int fd;
    size_t piece, total;
    long failed;
};

static void *send_stream(void *arg)
{
    struct sender *job = arg;
    unsigned char *bytes = malloc(job->piece);

    for (size_t at = 0; at < job->total;) {
        size_t len = MIN(job->piece, job->total - at);
        ssize_t rc;

        for (size_t i = 0; i < len; i++)
            bytes[i] = stream_byte(at + i);
        for (size_t done = 0; done < len; done += (size_t)rc) {
            rc = send(job->fd, bytes + done, len - done, 0);
            if (rc <= 0) {
                job->failed = errno;
                free(bytes);
                return NULL;
            }
        }
        at += len;
    }
    shutdown(job->fd, SHUT_WR);
    free(bytes);
    return NULL;
}

/* How many arrive in order, read in pieces. */
static size_t receive_stream(int fd, size_t piece)
{
    unsigned char *bytes = malloc(piece);
    size_t at = 0;
    ssize_t rc;

    while ((rc = recv(fd, bytes, piece, 0)) > 0) {
        for (ssize_t i = 0; i < rc; i++)
            if (!CHECK_EQ(bytes[i], stream_byte(at + (size_t)i))) {
                free(bytes);
                return at;
            }
        at += (size_t)rc;
    }
    CHECK_EQ(rc, 0);
    free(bytes);
    return at;
}

static void transfer(int family, size_t out, size_t in, size_t total)
{
    struct sender job = { .piece = out, .total = total };
    pthread_t thread;
    int fds[2];

    if (!connection(family, fds))
        return;
    job.fd = fds[0];
    REQUIRE_EQ(pthread_create(&thread, NULL, send_stream, &job), 0);
    CHECK_EQ(receive_stream(fds[1], in), total);
    pthread_join(thread, NULL);
    CHECK_EQ(job.failed, 0);
    close(fds[0]);
    close(fds[1]);
}

TEST(stream_large_pieces)
{
    transfer(AF_INET, 256 * 1024, 256 * 1024, MUCH);
}

TEST(stream_v6_large_pieces)
{
    transfer(AF_INET6, 100000, 65536, MUCH);
}

TEST(stream_odd_pieces)
{
    transfer(AF_INET, 1461, 4097, 1 << 20);
    transfer(AF_INET, 4095, 100, 1 << 20);
}

TEST(stream_small_pieces)
{
    transfer(AF_INET, 7, 5000, 20000);
    transfer(AF_INET, 5000, 1, 20000);
}

TEST(stream_peek_waitall_and_counts)
{
    int fds[2], count = -1;
    char text[16];
    struct iovec parts[3] = { { "ab", 2 }, { "", 0 }, { "cdef", 4 } };

    if (!connection(AF_INET, fds))
        return;
    CHECK_EQ(ioctl(fds[1], FIONREAD, &count), 0);
    CHECK_EQ(count, 0);
    CHECK_EQ(writev(fds[0], parts, 3), 6);
    CHECK_EQ(recv(fds[1], text, 3, MSG_PEEK | MSG_WAITALL), 3);
    CHECK_EQ(memcmp(text, "abc", 3), 0);
    CHECK_EQ(ioctl(fds[1], FIONREAD, &count), 0);
    CHECK_EQ(count, 6);
    CHECK_EQ(recv(fds[1], text, 2, 0), 2);
    CHECK_EQ(ioctl(fds[1], FIONREAD, &count), 0);
    CHECK_EQ(count, 4);
    CHECK_EQ(write(fds[0], "ghij", 4), 4);
    CHECK_EQ(recv(fds[1], text, 8, MSG_WAITALL), 8);
    CHECK_EQ(memcmp(text, "cdefghij", 8), 0);
    CHECK_FAILS(recv(fds[1], text, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_FAILS(ioctl(fds[1], 0x1234, &count), ENOTTY);
    close(fds[0]);
    close(fds[1]);
}

TEST(stream_fills_and_drains_without_waiting)
{
    static char bytes[65536];
    size_t sent = 0, got = 0;
    int fds[2], on = 1;
    ssize_t rc;

    if (!connection(AF_INET, fds))
        return;
    CHECK_EQ(fcntl(fds[0], F_SETFL, fcntl(fds[0], F_GETFL) | O_NONBLOCK), 0);
    CHECK_EQ(ioctl(fds[1], FIONBIO, &on), 0);
    while ((rc = send(fds[0], bytes, sizeof(bytes), 0)) > 0)
        sent += (size_t)rc;
    CHECK_EQ(errno, EAGAIN);
    CHECK(sent > 500000);
    CHECK(!(poll(&(struct pollfd){ fds[0], POLLOUT, 0 }, 1, 0)));
    while (got < sent && ((rc = recv(fds[1], bytes, sizeof(bytes), 0)) > 0 || errno == EAGAIN)) {
        if (rc > 0)
            got += (size_t)rc;
        else
            test_sleep_ms(10);
    }
    CHECK_EQ(got, sent);
    CHECK_EQ(poll(&(struct pollfd){ fds[0], POLLOUT, 0 }, 1, 5000), 1);
    close(fds[0]);
    close(fds[1]);
}

TEST(stream_timeouts)
{
    const struct timeval timeout = { 0, 50000 };
    struct timeval got;
    socklen_t len = sizeof(got);
    uint64_t began_ns;
    int fds[2];
    char byte;

    if (!connection(AF_INET, fds))
        return;
    CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), 0);
    CHECK_EQ(getsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &got, &len), 0);
    CHECK_EQ(got.tv_usec, 50000);
    began_ns = time_now_ns();
    CHECK_FAILS(recv(fds[0], &byte, 1, 0), EAGAIN);
    CHECK(time_now_ns() - began_ns >= 50 * NS_PER_MS);
    close(fds[0]);
    close(fds[1]);
}
