/* SPDX-License-Identifier: Apache-2.0 */
/* filter NAME: writes a shipped profile's program, as `bwrap --seccomp` takes it. */
#include <stdio.h>

#include "profiles/profiles.h"

int main(int argc, char **argv)
{
	const struct profile_builtin *p = argc == 2 ? profile_builtin(argv[1]) : NULL;

	if (p == NULL) {
		fputs("usage: filter PROFILE\n", stderr);
		return 2;
	}
	return fwrite(p->bpf, sizeof *p->bpf, p->bpf_len, stdout) == p->bpf_len && fflush(stdout) == 0 ? 0 : 1;
}
