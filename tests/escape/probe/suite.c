/* SPDX-License-Identifier: Apache-2.0 */
/* probe suite GLOVEBOX DIR PROFILE...
 *
 * The whole table of probes, through `GLOVEBOX exec`, by the most careless of callers (caller.c): under each PROFILE, promise by promise, with
 * a root filesystem, a store and inputs made in DIR, an empty directory that others may enter. A profile that is a file is one that
 * allows all, so that the floor remains. Says "@ TITLE" before the lines of each run, in TAP without numbers as `probe run` does, and of each
 * run that all have answered and that nothing of the host was reached. Ends with 0 when it came to its end, whatever the probes said. */
#include "probe.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/** A file capability: revision 2, effective, all of the first word that is permitted. */
#define CAPABILITY "\x01\x00\x00\x02\x7f\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
#define CAPABILITY_SIZE 20
#define PROMISES 12

static const char *glovebox, *work;
static char digest[80], rootfs[96];
static char needle_options[3][160];

static char *in_work(const char *name)
{
	static char paths[8][4096];
	static unsigned at;
	char *path = paths[at++ % 8];

	snprintf(path, sizeof paths[0], "%s/%s", work, name);
	return path;
}

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "probe suite: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* ---- what is tried on ------------------------------------------------------------------------ */

static char *own_text(size_t *size)
{
	struct stat st;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0)
		give_up("/proc/self/exe");
	char *text = malloc((size_t)st.st_size);
	if (text == NULL || read(fd, text, (size_t)st.st_size) != st.st_size)
		give_up("/proc/self/exe");
	close(fd);
	*size = (size_t)st.st_size;
	return text;
}

/** A header of ustar and, in whole blocks, what it is of. */
static void tar_add(FILE *tar, const char *name, char type, unsigned bits, const char *data, size_t size)
{
	static const char zeros[512];
	char head[512] = "";
	unsigned sum = 0;

	snprintf(head, 100, "%s", name);
	snprintf(head + 100, 8, "%07o", bits);
	snprintf(head + 108, 8, "%07o", 0u);
	snprintf(head + 116, 8, "%07o", 0u);
	snprintf(head + 124, 12, "%011zo", size);
	snprintf(head + 136, 12, "%011o", 0u);
	memcpy(head + 148, "        ", 8);
	head[156] = type;
	memcpy(head + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof head; i++)
		sum += (unsigned char)head[i];
	snprintf(head + 148, 8, "%06o", sum);
	fwrite(head, 1, sizeof head, tar);
	fwrite(data, 1, size, tar);
	fwrite(zeros, 1, (512 - size % 512) % 512, tar);
}

/** An archive holds a capability whoever makes it. */
static void make_archive(const char *text, size_t size)
{
	static const char key[] = " SCHILY.xattr.security.capability=";
	char record[80];
	size_t n = 2 + strlen(key) + CAPABILITY_SIZE + 1;
	FILE *tar = fopen(in_work("rootfs.tar"), "we");

	if (tar == NULL)
		give_up("rootfs.tar");
	int head = snprintf(record, sizeof record, "%zu%s", n, key);
	memcpy(record + head, CAPABILITY, CAPABILITY_SIZE);
	record[n - 1] = '\n';
	tar_add(tar, "bin/", '5', 0755, "", 0);
	tar_add(tar, "etc/", '5', 0755, "", 0);
	tar_add(tar, "bin/probe", '0', 0755, text, size);
	tar_add(tar, "bin/busybox", '0', 0755, text, size);
	tar_add(tar, "bin/suid", '0', 04755, text, size);
	tar_add(tar, "bin/sgid", '0', 02755, text, size);
	tar_add(tar, "PaxHeaders/capable", 'x', 0644, record, n);
	tar_add(tar, "bin/capable", '0', 0755, text, size);
	for (int i = 0; i < 1024; i++)
		putc(0, tar);
	if (fclose(tar) != 0)
		give_up("rootfs.tar");
}

static void make_input(const char *name, mode_t bits, const char *text, size_t size)
{
	char *path = in_work(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	if (fd < 0 || write(fd, text, size) != (ssize_t)size || fchmod(fd, bits) != 0)
		give_up(path);
	close(fd);
}

/** What must not get in as it is, by a directory: only root can give a capability. */
static void make_inputs(const char *text, size_t size)
{
	if (mkdir(in_work("in"), 0755) != 0)
		give_up("in");
	make_input("in/suid", 04755, text, size);
	make_input("in/sgid", 02755, text, size);
	make_input("in/capable", 0755, text, size);
	if (geteuid() == 0)
		setxattr(in_work("in/capable"), "security.capability", CAPABILITY, CAPABILITY_SIZE, 0);
}

/** @return the last line that the command wrote to standard output. */
static void last_line(const char *const *argv, char *line, size_t size)
{
	int fds[2], status = 0;

	if (pipe2(fds, O_CLOEXEC) != 0)
		give_up("pipe");
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		execv(argv[0], (char *const *)argv);
		give_up(argv[0]);
	}
	close(fds[1]);
	FILE *from = fdopen(fds[0], "r");
	while (from != NULL && fgets(line, (int)size, from) != NULL)
		line[strcspn(line, "\n")] = '\0';
	if (from == NULL || fclose(from) != 0 || waitpid(pid, &status, 0) != pid || status != 0) {
		fprintf(stderr, "probe suite: %s failed\n", argv[1]);
		exit(2);
	}
}

static void import_root(void)
{
	const char *argv[] = { glovebox, "rootfs", "import", "probe", in_work("rootfs.tar"), "--store", in_work("store"), NULL };

	last_line(argv, digest, sizeof digest);
	snprintf(rootfs, sizeof rootfs, "probe@%s", digest);
}

/** Directories that the step user may write to, whoever runs this. */
static void make_places(void)
{
	static const char *const names[] = { "live", "caller" };
	struct stat st;

	if (stat(in_work("store"), &st) != 0)
		give_up("store");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (mkdir(in_work(names[i]), 0755) != 0 || chown(in_work(names[i]), st.st_uid, st.st_gid) != 0)
			give_up(names[i]);
}

/** What tells of this host: the directory of all this, and the digest of the rootfs. */
static void make_needles(void)
{
	const char *hex = strchr(digest, ':');
	char short_one[17] = "";

	if (hex == NULL)
		give_up("a digest");
	snprintf(short_one, sizeof short_one, "%s", hex + 1);
	const char *const words[] = { strrchr(work, '/') + 1, hex + 1, short_one };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		int n = snprintf(needle_options[i], sizeof needle_options[i], "needle=");

		for (const char *p = words[i]; *p != '\0' && n + 3 < (int)sizeof needle_options[i]; p++)
			n += snprintf(needle_options[i] + n, sizeof needle_options[i] - (size_t)n, "%02x", (unsigned char)*p);
	}
}

/* ---- the runs ---------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/** What `probe run` said, passed on but for what is for us. */
struct answers {
	int lines;
	bool end;
	char reached[256];
};

static void pass_on(FILE *from, struct answers *a)
{
	char line[1024];

	while (fgets(line, sizeof line, from) != NULL) {
		if (strcmp(line, "# end\n") == 0) {
			a->end = true;
		} else if (strncmp(line, "reached ", 8) == 0) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(a->reached + strlen(a->reached), sizeof a->reached - strlen(a->reached), " %s", line + 8);
		} else {
			bool answer = strncmp(line, "ok - ", 5) == 0 || strncmp(line, "not ok - ", 9) == 0;

			a->lines += answer;
			printf("%s%s", answer || line[0] == '#' ? "" : "# ", line);
		}
	}
}

static void tell(bool ok, int promise, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void tell(bool ok, int promise, const char *fmt, ...)
{
	va_list args;

	printf("%s - %d ", ok ? "ok" : "not ok", promise);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

/** The command line: a careless caller's, of glovebox's, of the probes'. */
static void box(const char *profile, const char *in_mode, int promise, bool loopback)
{
	static const char *const fixed[] = { "--pids", "64", "--ro" };
	char number[8], in[4200], live[4200], out[4200];
	const char *argv[48];
	size_t n = 0;

	snprintf(number, sizeof number, "%d", promise);
	snprintf(in, sizeof in, "%s:/in", in_work("in"));
	snprintf(live, sizeof live, "%s:/live", in_work("live"));
	snprintf(out, sizeof out, "/out=%s", in_work("out"));
	const char *const head[] = { "probe", "caller", in_work("caller"), "--", glovebox, "exec", "--store", in_work("store"), "--rootfs",
				     rootfs, "--profile", profile, fixed[0], fixed[1], fixed[2], in, "--rw", live, "--output", out };
	for (size_t i = 0; i < sizeof head / sizeof *head; i++)
		argv[n++] = head[i];
	if (loopback) {
		argv[n++] = "--network";
		argv[n++] = "loopback";
	}
	const char *const tail[] = { "--", "/bin/probe", "run", in_mode, number, needle_options[0], needle_options[1], needle_options[2] };
	for (size_t i = 0; i < sizeof tail / sizeof *tail; i++)
		argv[n++] = tail[i];
	if (loopback)
		argv[n++] = "loopback";
	argv[n] = NULL;
	execv("/proc/self/exe", (char *const *)argv);
	give_up("/proc/self/exe");
}

static void run_promise(const char *profile, enum mode m, int promise, bool loopback)
{
	const char *in_mode = mode_name(m);
	struct answers a = { 0 };
	int fds[2], want = probes_of(promise, m);

	printf("@ %s, promise %d%s\n", in_mode, promise, loopback ? ", with a loopback" : "");
	fflush(stdout);
	nftw(in_work("out"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (pipe2(fds, O_CLOEXEC) != 0)
		give_up("pipe");
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		box(profile, in_mode, promise, loopback);
	}
	close(fds[1]);
	FILE *from = fdopen(fds[0], "r");
	if (from == NULL)
		give_up("pipe");
	pass_on(from, &a);
	fclose(from);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	tell(a.end && a.lines == want, promise, "all %d probes have answered: %s (%d)", want, a.end ? "to the end" : "it died", a.lines);
	tell(a.reached[0] == '\0', promise, "nothing of the host was reached:%s", a.reached[0] == '\0' ? " nothing" : a.reached);
	fflush(stdout);
}

int suite_main(int argc, char **argv)
{
	size_t size;

	if (argc < 3 || argv[1][0] != '/')
		return fprintf(stderr, "probe suite: GLOVEBOX DIR PROFILE...\n"), 2;
	glovebox = argv[0];
	work = argv[1];
	umask(022);
	char *text = own_text(&size);
	make_archive(text, size);
	make_inputs(text, size);
	import_root();
	make_places();
	make_needles();
	for (int i = 2; i < argc; i++) {
		enum mode m = strchr(argv[i], '/') != NULL ? MODE_FLOOR : mode_by_name(argv[i]);

		for (int promise = 1; promise <= PROMISES && m < MODES; promise++)
			if (probes_of(promise, m) > 0)
				run_promise(argv[i], m, promise, false);
		if (m <= MODE_DEBUG)
			run_promise(argv[i], m, 6, true);
	}
	return 0;
}
