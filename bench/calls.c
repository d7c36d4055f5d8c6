/* SPDX-License-Identifier: Apache-2.0 */
/* calls N: that many system calls, each the cheapest there is. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	for (long n = argc == 2 ? atol(argv[1]) : 0; n > 0; n--)
		(void)syscall(SYS_getppid);
	return 0;
}
