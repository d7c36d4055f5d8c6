/* SPDX-License-Identifier: Apache-2.0 */
/* Promise 11: a root filesystem aims at the host, or at a place of its own choice, while the sandbox is made. Each is laid out
 * (starts_main, suite.c), started, and looked at from inside; a sandbox that refuses to start it by name has held, too. */
#include "probe.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/** A descriptor that the caller leaves open at its own directory (caller.c). */
#define LEFT "/proc/self/fd/500"

const struct start starts[] = {
	{ "proc-is-a-link", "proc", "aimed" },
	{ "dev-is-a-link", "dev", "aimed" },
	{ "sys-is-a-link", "sys", "aimed" },
	{ "tmp-is-a-link", "tmp", "aimed" },
	{ "etc-is-a-link", "etc", "aimed" },
	{ "home-is-a-link", "build", "aimed" },
	{ "dev-leads-to-the-host", "dev", "VICTIM" },
	{ "null-is-a-link", "dev/null", "../aimed/passwd" },
	{ "passwd-is-a-link", "etc/passwd", "../aimed/passwd" },
	{ "target-is-a-link", "data", "aimed", "/data" },
	{ "target-below-a-link", "opt", "aimed", "/opt/data" },
	{ "target-leads-to-the-host", "data", "VICTIM", "/data" },
	{ "target-by-proc", "data", "MAGIC", "/data" },
	{ "workdir-is-a-descriptor", "work", "aimed", NULL, LEFT },
	{ "workdir-is-a-link", "work", LEFT, NULL, "/work" },
	{ "command-is-own-program", "bin/own", "/proc/self/exe", .command = "/bin/own" },
	{ "interpreter-is-own-program", "bin/own", "#!/proc/self/exe", .command = "/bin/own" },
	{ 0 },
};

const struct start *start_of(const char *probe)
{
	for (const struct start *s = starts; s->probe != NULL; s++)
		if (strcmp(s->probe, probe) == 0)
			return s;
	return NULL;
}

const char *start_target(const struct start *s, const char *victim)
{
	static char text[4200];

	if (strcmp(s->to, "VICTIM") == 0)
		snprintf(text, sizeof text, "../../../../../../../..%s", victim);
	else if (strcmp(s->to, "MAGIC") == 0)
		snprintf(text, sizeof text, "/proc/self/root%s", victim);
	else
		snprintf(text, sizeof text, "%s", s->to);
	return text;
}

/* ---- what came of it, from inside ---- */

/** Nothing is mounted on the place that a link leads to, and nothing was written through it. */
static enum verdict aimed(void)
{
	static char text[262144];
	struct stat root, at;

	if (stat("/", &root) != 0 || stat(AIMED, &at) != 0)
		return broken(AIMED);
	if (at.st_dev != root.st_dev)
		return through("something is mounted on " AIMED);
	if (slurp(AIMED_FILE, text, sizeof text) < 0)
		return through("something covers " AIMED);
	if (strcmp(text, AIMED_TEXT) != 0)
		return through(AIMED_FILE " was written through a link");
	slurp("/proc/self/mountinfo", text, sizeof text);
	return strstr(text, " " AIMED) != NULL ? through("a mount lies below " AIMED) : held(0);
}

/** runc's CVE-2025-31133: what covers a path of /proc is the box's own /dev/null, and not whatever the root filesystem has there. */
static enum verdict aimed_by_null(void)
{
	static const char *const masks[] = { "/proc/cmdline", "/proc/keys", "/proc/kallsyms", "/proc/timer_list", "/proc/interrupts" };
	struct stat null;
	char text[256];

	for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
		if (slurp(masks[i], text, sizeof text) > 0 && strstr(text, AIMED_TEXT) != NULL)
			return through("%s shows a file of the root filesystem", masks[i]);
	if (stat("/dev/null", &null) != 0)
		return broken("/dev/null");
	return !S_ISCHR(null.st_mode) || null.st_rdev != makedev(1, 3) ? through("/dev/null is not one") : aimed();
}

/** runc's CVE-2024-21626. */
static enum verdict begins_inside(void)
{
	char cwd[4096];
	struct stat st;

	if (getcwd(cwd, sizeof cwd) == NULL || cwd[0] != '/')
		return through("the working directory is outside: %s", strerror(errno));
	/* caller.c's own directory has this socket in it. */
	return lstat("socket", &st) == 0 ? through("the working directory is the caller's") : held(0);
}

static enum verdict from_outside(void)
{
	return broken("what ran instead of this program is seen from outside alone");
}

/** Other walls than a profile hold these; the control and the matrix start them each in its own way. */
#define START(fn_) fn_, { "held", [MODE_FLOOR] = "-", [MODE_BARE] = "-" }

const struct probe start_probes[] = {
	{ 11, "proc-is-a-link", START(aimed) },
	{ 11, "dev-is-a-link", START(aimed) },
	{ 11, "sys-is-a-link", START(aimed) },
	{ 11, "tmp-is-a-link", START(aimed) },
	{ 11, "etc-is-a-link", START(aimed) },
	{ 11, "home-is-a-link", START(aimed) },
	{ 11, "dev-leads-to-the-host", START(aimed) },
	{ 11, "null-is-a-link", START(aimed_by_null) },
	{ 11, "passwd-is-a-link", START(aimed) },
	{ 11, "target-is-a-link", START(aimed) },
	{ 11, "target-below-a-link", START(aimed) },
	{ 11, "target-leads-to-the-host", START(aimed) },
	{ 11, "target-by-proc", START(aimed) },
	{ 11, "workdir-is-a-descriptor", START(begins_inside) },
	{ 11, "workdir-is-a-link", START(begins_inside) },
	{ 11, "command-is-own-program", from_outside, { "held", [MODE_FLOOR] = "-", [MODE_BARE] = "-", [MODE_PEER] = "-" } },
	{ 11, "interpreter-is-own-program", from_outside, { "held", [MODE_FLOOR] = "-", [MODE_BARE] = "-", [MODE_PEER] = "-" } },
	{ 0 },
};

/* ---- laying one out -------------------------------------------------------------------------------- */

static int put_text(const char *path, const char *text, mode_t bits)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, bits);

	if (fd < 0)
		return -1;
	ssize_t n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

static int lay_out(const struct start *s, const char *dir, const char *victim)
{
	const char *to = start_target(s, victim);

	if (chdir(dir) != 0 || mkdir("aimed", 0755) != 0 || mkdir("aimed/data", 0755) != 0 || put_text("aimed/passwd", AIMED_TEXT, 0644) != 0)
		return -1;
	if (strcmp(s->link, "dev/null") == 0 && mkdir("dev", 0755) != 0 && errno != EEXIST)
		return -1;
	if (unlink(s->link) != 0 && rmdir(s->link) != 0 && errno != ENOENT)
		return -1;
	return to[0] == '#' ? put_text(s->link, to, 0755) : symlink(to, s->link);
}

int starts_main(int argc, char **argv)
{
	const struct start *s = argc == 3 ? start_of(argv[0]) : NULL;

	for (const struct start *each = starts; argc == 0 && each->probe != NULL; each++)
		printf("%s %s %s %s %s %s\n", each->probe, each->link, each->to, each->target ?: "-", each->workdir ?: "-", each->command ?: "-");
	if (argc == 0)
		return 0;
	if (s == NULL || lay_out(s, argv[1], argv[2]) != 0)
		return fprintf(stderr, "probe starts: PROBE DIR VICTIM: %s\n", strerror(errno)), 2;
	return 0;
}
