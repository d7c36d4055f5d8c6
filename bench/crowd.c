/* SPDX-License-Identifier: Apache-2.0 */
/* crowd N: N processes that wait for ever, and one line when all of them do. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int ready[2], n = argc > 1 ? atoi(argv[1]) : 0;
	char byte = 0;

	if (n <= 0 || pipe2(ready, O_CLOEXEC) < 0)
		return 2;
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (pid == 0) {
			if (write(ready[1], &byte, 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
	}
	for (int i = 0; i < n; i++)
		if (read(ready[0], &byte, 1) != 1)
			return 1;
	if (write(1, "ready\n", 6) != 6)
		return 1;
	for (;;)
		pause();
}
