/* SPDX-License-Identifier: MIT
 *
 * Console input comes back as output.  `echo`: line by line, until Ctrl-D; `echo raw`: byte by byte
 * as they are typed, until Ctrl-D; `echo count`: until Ctrl-D too, then says how many bytes came
 * and their sum, for tests with much input.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "console/console.h"

#define CTRL_D 4

static int echo_lines(void)
{
    char line[4096];

    while (fgets(line, sizeof(line), stdin)) {
        fputs("echo: ", stdout);
        fputs(line, stdout);
    }
    return 0;
}

static int echo_bytes(void)
{
    unsigned char byte;

    console_set_mode(CONSOLE_RAW);
    while (read(0, &byte, 1) == 1 && byte != CTRL_D)
        printf("%02x %c\n", byte, byte >= ' ' && byte < 127 ? byte : '.');
    return 0;
}

static int count_bytes(void)
{
    unsigned long count = 0, sum = 0;
    unsigned char bytes[512];
    int got;

    console_set_mode(CONSOLE_RAW);
    printf("ready\n");
    while ((got = read(0, bytes, sizeof(bytes))) > 0) {
        for (int i = 0; i < got; i++) {
            if (bytes[i] == CTRL_D) {
                printf("%lu bytes, sum %lu\n", count, sum);
                return 0;
            }
            count++;
            sum += bytes[i];
        }
    }
    return 1;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "lines";

    if (strcmp(mode, "lines") == 0)
        return echo_lines();
    if (strcmp(mode, "raw") == 0)
        return echo_bytes();
    if (strcmp(mode, "count") == 0)
        return count_bytes();
    printf("usage: echo [lines|raw|count]\n");
    return 2;
}
