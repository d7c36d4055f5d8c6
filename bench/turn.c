/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turn: runs a command when it is its turn (pairs.c). The FIFOs lie beside the program: it says on "ask" that it waits and
 * that it has ended, and reads its turn from "go".
 *
 *     turn COMMAND [ARGUMENT…]
 */
#include <fcntl.h>
#include <libgen.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
	char byte = 0;
	int status, ask, go;
	pid_t pid;

	if (argc < 2)
		return 2;
	int dir = open(dirname(argv[0]), O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || (ask = openat(dir, "ask", O_WRONLY | O_CLOEXEC)) < 0 || (go = openat(dir, "go", O_RDONLY | O_CLOEXEC)) < 0 ||
	    write(ask, &byte, 1) != 1 || read(go, &byte, 1) != 1) {
		perror("turn");
		return 1;
	}
	if (posix_spawnp(&pid, argv[1], NULL, NULL, argv + 1, environ) != 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	if (write(ask, &byte, 1) != 1)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
