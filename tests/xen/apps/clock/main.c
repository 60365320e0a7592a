/* SPDX-License-Identifier: MIT
 *
 * Says what time it is, six times, two seconds apart.
 */
#include <stdio.h>
#include <time.h>

int main(void)
{
    struct timespec next, now;

    clock_gettime(CLOCK_MONOTONIC, &next);
    for (int i = 0; i < 6; i++) {
        clock_gettime(CLOCK_REALTIME, &now);
        printf("time: %lld.%02ld\n", (long long)now.tv_sec, now.tv_nsec / 10000000);
        next.tv_sec += 2;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
    return 0;
}
