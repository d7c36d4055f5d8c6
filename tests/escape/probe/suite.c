/* SPDX-License-Identifier: Apache-2.0 */
/* probe suite GLOVEBOX DIR PROFILE...
 *
 * The whole table of probes, through `GLOVEBOX exec`, by the most careless of callers (caller.c): under each PROFILE, promise by promise, with
 * a root filesystem, a store and inputs made in DIR, an empty directory that others may enter. A profile that is a file is one that
 * allows all, so that the floor remains. Says "@ TITLE" before the lines of each run, in TAP without numbers as `probe run` does, and of each
 * run that all have answered and that nothing of the host was reached. Ends with 0 when it came to its end, whatever the probes said. */
#include "probe.h"

#include <dirent.h>
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
/** What was imported for each start (c11_starts.c); empty where that was refused, and the refusal. */
static struct { char rootfs[112], refusal[512]; } started[32];

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

/** A header of ustar and, in whole blocks, what it is of: for a link where it leads, for all else its bytes. */
static void tar_add(FILE *tar, const char *name, char type, unsigned bits, const char *data, size_t size)
{
	static const char zeros[512];
	const char *link = type == '2' ? data : "";
	char head[512] = "";
	unsigned sum = 0;

	if (strlen(link) >= 100)
		tar_add(tar, "././@LongLink", 'K', 0644, link, strlen(link) + 1);
	size = type == '2' ? 0 : size;
	snprintf(head, 100, "%s", name);
	snprintf(head + 100, 8, "%07o", bits);
	snprintf(head + 108, 8, "%07o", 0u);
	snprintf(head + 116, 8, "%07o", 0u);
	snprintf(head + 124, 12, "%011zo", size);
	snprintf(head + 136, 12, "%011o", 0u);
	memcpy(head + 148, "        ", 8);
	head[156] = type;
	snprintf(head + 157, 100, "%.99s", link);
	memcpy(head + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof head; i++)
		sum += (unsigned char)head[i];
	snprintf(head + 148, 8, "%06o", sum);
	fwrite(head, 1, sizeof head, tar);
	fwrite(data, 1, size, tar);
	fwrite(zeros, 1, (512 - size % 512) % 512, tar);
}

static FILE *tar_begin(const char *name)
{
	FILE *tar = fopen(in_work(name), "we");

	if (tar == NULL)
		give_up(name);
	return tar;
}

static void tar_end(FILE *tar)
{
	for (int i = 0; i < 1024; i++)
		putc(0, tar);
	if (fclose(tar) != 0)
		give_up("an archive");
}

/** An archive holds a capability whoever makes it. */
static void make_archive(const char *text, size_t size)
{
	static const char key[] = " SCHILY.xattr.security.capability=";
	char record[80];
	size_t n = 2 + strlen(key) + CAPABILITY_SIZE + 1;
	FILE *tar = tar_begin("rootfs.tar");

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
	tar_end(tar);
}

/** A root filesystem that is all in order but for one path. */
static void make_hostile(const struct start *s, const char *text, size_t size)
{
	const char *to = start_target(s, in_work("victim"));
	FILE *tar = tar_begin("hostile.tar");

	tar_add(tar, "bin/", '5', 0755, "", 0);
	tar_add(tar, "bin/probe", '0', 0755, text, size);
	if (strncmp(s->link, "etc", 3) != 0 || s->link[3] != '\0')
		tar_add(tar, "etc/", '5', 0755, "", 0);
	tar_add(tar, "aimed/", '5', 0755, "", 0);
	tar_add(tar, "aimed/data/", '5', 0755, "", 0);
	tar_add(tar, "aimed/passwd", '0', 0644, AIMED_TEXT, strlen(AIMED_TEXT));
	if (strcmp(s->link, "dev/null") == 0)
		tar_add(tar, "dev/", '5', 0755, "", 0);
	tar_add(tar, s->link, to[0] == '#' ? '0' : '2', 0755, to, strlen(to));
	tar_end(tar);
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

/** @return the command's wait status, and in @p line the last line that it wrote: to standard error, too, if @p errors. */
static int last_line(const char *const *argv, bool errors, char *line, size_t size)
{
	int fds[2], status = 0;

	if (pipe2(fds, O_CLOEXEC) != 0)
		give_up("pipe");
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		if (errors)
			dup2(fds[1], 2);
		execv(argv[0], (char *const *)argv);
		give_up(argv[0]);
	}
	close(fds[1]);
	FILE *from = fdopen(fds[0], "r");
	line[0] = '\0';
	while (from != NULL && fgets(line, (int)size, from) != NULL)
		line[strcspn(line, "\n")] = '\0';
	if (from == NULL || fclose(from) != 0 || waitpid(pid, &status, 0) != pid)
		give_up(argv[1]);
	return status;
}

static int import(const char *name, const char *archive, bool errors, char *line, size_t size)
{
	const char *argv[] = { glovebox, "rootfs", "import", name, in_work(archive), "--store", in_work("store"), NULL };

	return last_line(argv, errors, line, size);
}

static void import_root(void)
{
	if (import("probe", "rootfs.tar", false, digest, sizeof digest) != 0) {
		fprintf(stderr, "probe suite: rootfs import failed\n");
		exit(2);
	}
	snprintf(rootfs, sizeof rootfs, "probe@%s", digest);
}

static void import_hostile(const char *text, size_t size)
{
	for (size_t i = 0; starts[i].probe != NULL; i++) {
		make_hostile(&starts[i], text, size);
		if (import("hostile", "hostile.tar", true, started[i].refusal, sizeof started[i].refusal) == 0)
			snprintf(started[i].rootfs, sizeof started[i].rootfs, "hostile@%.80s", started[i].refusal);
	}
}

/** Directories that the step user may write to, whoever runs this. */
static void make_places(void)
{
	static const char *const names[] = { "live", "caller", "victim" };
	struct stat st;

	if (stat(in_work("store"), &st) != 0)
		give_up("store");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (mkdir(in_work(names[i]), 0755) != 0 || chown(in_work(names[i]), st.st_uid, st.st_gid) != 0)
			give_up(names[i]);
	make_input("victim/file", 0644, AIMED_TEXT, strlen(AIMED_TEXT));
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

/* ---- hostile root filesystems -------------------------------------------------------------------- */

/** Whether the host's directory that links lead to is as it was. */
static bool victim_is_whole(void)
{
	static char data[64];
	int n = 0;
	DIR *dir = opendir(in_work("victim"));

	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
		n += e->d_name[0] != '.';
	if (dir != NULL)
		closedir(dir);
	return n == 1 && slurp(in_work("victim/file"), data, sizeof data) > 0 && strcmp(data, AIMED_TEXT) == 0;
}

static void start_in(const struct start *s, const char *profile, const char *root)
{
	char live[4300];
	const char *argv[32];
	size_t n = 0;

	const char *const head[] = { "probe", "caller", in_work("caller"), "--", glovebox, "exec", "--store", in_work("store"), "--rootfs",
				     root, "--profile", profile };
	for (size_t i = 0; i < sizeof head / sizeof *head; i++)
		argv[n++] = head[i];
	if (s->target != NULL) {
		snprintf(live, sizeof live, "%s:%s", in_work("live"), s->target);
		argv[n++] = "--rw";
		argv[n++] = live;
	}
	if (s->workdir != NULL) {
		argv[n++] = "--workdir";
		argv[n++] = s->workdir;
	}
	argv[n++] = "--";
	const char *const probe[] = { "/bin/probe", "run", profile, s->probe }, *const own[] = { s->command, "--version" };
	for (size_t i = 0; i < (s->command != NULL ? 2 : 4); i++)
		argv[n++] = s->command != NULL ? own[i] : probe[i];
	argv[n] = NULL;
	execv("/proc/self/exe", (char *const *)argv);
	give_up("/proc/self/exe");
}

/** What came out of a start: the probe's own answer, if it came to run; else the last that was said. */
struct outcome {
	bool answered, passed;
	char text[512], message[512];
	int status;
};

static void watch_start(const struct start *s, const char *profile, const char *root, struct outcome *o)
{
	static const char said[] = "# said on the terminal: ";
	char line[1024];
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		give_up("pipe");
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		start_in(s, profile, root);
	}
	close(fds[1]);
	FILE *from = fdopen(fds[0], "r");
	while (from != NULL && fgets(line, sizeof line, from) != NULL) {
		bool ok = strncmp(line, "ok - 11 ", 8) == 0, bad = strncmp(line, "not ok - 11 ", 12) == 0;

		line[strcspn(line, "\r\n")] = '\0';
		if (ok || bad) {
			o->answered = true;
			o->passed = ok;
			snprintf(o->text, sizeof o->text, "%.500s", line + (ok ? 8 : 12) + strlen(s->probe) + 2);
		} else if (strncmp(line, "# end", 5) != 0 && strncmp(line, "# expected", 10) != 0) {
			snprintf(o->message, sizeof o->message, "%.500s", strncmp(line, said, strlen(said)) == 0 ? line + strlen(said) : line);
		}
	}
	if (from == NULL || fclose(from) != 0 || waitpid(pid, &o->status, 0) != pid)
		give_up("a start");
}

/** A refusal names what is refused. */
static bool is_named(const struct start *s, const char *message)
{
	return strstr(message, s->link) != NULL || (s->target != NULL && strstr(message, s->target) != NULL) ||
	       (s->workdir != NULL && strstr(message, s->workdir) != NULL) || (s->command != NULL && strstr(message, s->command) != NULL);
}

static void one_start(size_t i, const char *profile)
{
	const struct start *s = &starts[i];
	struct outcome o = { .status = W_EXITCODE(125, 0) };

	if (started[i].rootfs[0] != '\0')
		watch_start(s, profile, started[i].rootfs, &o);
	else
		snprintf(o.message, sizeof o.message, "%s", started[i].refusal);
	int code = WIFEXITED(o.status) ? WEXITSTATUS(o.status) : 128;
	/* 125: glovebox refuses; 126 and 127: the kernel does, of the command. */
	bool refused = !o.answered && code >= 125 && code <= 127 && is_named(s, o.message);

	if (!victim_is_whole())
		printf("not ok - 11 %s: through: the host's directory was changed\n", s->probe);
	else if (o.answered)
		printf("%s - 11 %s: %s\n", o.passed ? "ok" : "not ok", s->probe, o.text);
	else
		printf("%s - 11 %s: %s: exit %d: %s\n", refused ? "ok" : "not ok", s->probe, refused ? "refused" : "through", code, o.message);
}

static void run_starts(const char *profile)
{
	int n = 0;

	printf("@ %s, promise 11\n", profile);
	for (; starts[n].probe != NULL; n++)
		one_start((size_t)n, profile);
	tell(n == probes_of(11, mode_by_name(profile)), 11, "all %d probes have answered", n);
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
	import_hostile(text, size);
	make_needles();
	for (int i = 2; i < argc; i++) {
		enum mode m = strchr(argv[i], '/') != NULL ? MODE_FLOOR : mode_by_name(argv[i]);

		for (int promise = 1; promise <= PROMISES && m < MODES; promise++)
			if (promise == 11 && probes_of(promise, m) > 0)
				run_starts(argv[i]);
			else if (probes_of(promise, m) > 0)
				run_promise(argv[i], m, promise, false);
		if (m <= MODE_DEBUG)
			run_promise(argv[i], m, 6, true);
	}
	return 0;
}
