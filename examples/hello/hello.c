/* SPDX-License-Identifier: Apache-2.0 */
/* Says hello to whoever is named, or to the world. */
#include <stdio.h>

int main(int argc, char **argv)
{
	if (argc > 2) {
		fprintf(stderr, "usage: %s [NAME]\n", argv[0]);
		return 2;
	}
	printf("hello, %s\n", argc == 2 ? argv[1] : "world");
	return fflush(stdout) == 0 ? 0 : 1;
}
