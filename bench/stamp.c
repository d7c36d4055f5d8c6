/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the time, in microseconds, as the first thing that it does: when a step began. Linked static. */
#include <stdio.h>
#include <time.h>

int main(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return 1;
	printf("%lld\n", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	return 0;
}
