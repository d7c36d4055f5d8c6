/* SPDX-License-Identifier: Apache-2.0 */
/* probe run MODE PROMISE [KEY=VALUE]...   tries all probes of a promise (0: of all, a name: that one), and says TAP without numbers
 * probe list [MODE]                      "PROMISE NAME" of every probe
 * probe classes, probe starts            see probe.h
 * probe permits                          what profiles let through on purpose, as the manual lists it
 * probe suite|caller|alone|kills|act …   see probe.h */
#include "probe.h"

#include <ctype.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/** A try that takes longer hangs. */
#define TRY_SECONDS 20

static const struct probe *const tables[] = {
	caller_probes, privilege_probes, kernel_probes, ring_probes, reach_probes, abi_probes, socket_probes, network_probes,
	file_probes, mode_probes, process_probes, start_probes, limit_probes,
};
static const char *const mode_names[MODES] = { "strict", "default", "debug", "floor", "bare", "weak", "peer" };

char needles[8][128];
unsigned host_tcp_port, host_vsock_port;
char host_abstract[64];
enum mode mode;
bool with_loopback;
/** A probe that is not to be tried here. */
static char left_out[64];

/** Where a try leaves what it has to say. */
static struct report {
	bool said;
	enum verdict verdict;
	int sys;
	char note[512];
} *report;

static enum verdict say(enum verdict verdict, int sys)
{
	report->said = true;
	report->verdict = verdict;
	report->sys = sys;
	for (char *p = report->note; *p != '\0'; p++)
		if (*p == '\n' || *p == '#')
			*p = ' ';
	return verdict;
}

enum verdict through(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(report->note, sizeof report->note, fmt, args);
	va_end(args);
	return say(THROUGH, 0);
}

enum verdict held(int sys)
{
	return say(HELD, sys);
}

enum verdict broken(const char *fmt, ...)
{
	int sys = errno;
	va_list args;

	va_start(args, fmt);
	vsnprintf(report->note, sizeof report->note, fmt, args);
	va_end(args);
	return say(BROKEN, sys);
}

enum verdict unless_failed(long r, const char *what)
{
	return r < 0 ? held(errno) : through("%s: %ld", what, r);
}

/* ---- one try ------------------------------------------------------------------------------------ */

static enum verdict raw(const struct probe *p)
{
	return unless_failed(syscall(p->nr, p->args[0], p->args[1], p->args[2], p->args[3], p->args[4], p->args[5]), p->name);
}

/** In the control, and perhaps in other tools' boxes, mounts do get through: the next try must not stand on what this one leaves. */
static int unshare_mounts(void)
{
	if (mode == MODE_PEER && unshare(CLONE_NEWNS) != 0)
		errno = 0;
	return mode == MODE_WEAK ? unshare(CLONE_NEWNS) : 0;
}

/** @return the wait status. */
static int try_apart(const struct probe *p)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return W_EXITCODE(99, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(TRY_SECONDS);
		if (unshare_mounts() != 0)
			_exit(97);
		errno = 0;
		if (p->fn != NULL)
			p->fn();
		else
			raw(p);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void word_of(int status, char *word, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(word, size, "SIG%s", sigabbrev_np(WTERMSIG(status)));
	else if (!report->said)
		snprintf(word, size, "nothing (exit %d)", WEXITSTATUS(status));
	else if (report->verdict == THROUGH)
		snprintf(word, size, "through");
	else if (report->verdict == BROKEN)
		snprintf(word, size, "broken");
	else if (report->sys == 0)
		snprintf(word, size, "held");
	else
		snprintf(word, size, "%s", strerrorname_np(report->sys) ?: "an unknown errno");
}

static bool matches(const char *answer, const char *word)
{
	size_t n = strlen(word);

	bool refused = strcmp(word, "through") != 0 && strcmp(word, "broken") != 0 && strncmp(word, "nothing", 7) != 0 &&
		       strcmp(word, "SIGALRM") != 0;

	for (const char *at = answer; *at != '\0'; at += strcspn(at, "|"), at += *at == '|')
		if ((strcspn(at, "|") == n && strncmp(at, word, n) == 0) || (*at == '*' && refused))
			return true;
	return false;
}

static const char *answer_in(const struct probe *p, enum mode m)
{
	if (m == MODE_WEAK)
		return p->answer[m] ?: "through";
	if (m >= MODE_FLOOR)
		return p->answer[m] ?: "*";
	for (int i = m; i >= 0; i--)
		if (p->answer[i] != NULL)
			return p->answer[i];
	return "EPERM";
}

bool is_for(const struct probe *p, enum mode m)
{
	const struct probe_class *c = class_of(p->name);

	return strcmp(answer_in(p, m), "-") != 0 && (m != MODE_PEER || c == NULL || !c->house);
}

/** Another's box may have no init but this program: that is nothing to reach into. */
static bool is_of_self(const struct probe *p)
{
	size_t n = strlen(p->name);

	return mode == MODE_PEER && getpid() == 1 && strcmp(p->name, "init-module") != 0 &&
	       (strncmp(p->name, "init-", 5) == 0 || (n > 5 && strcmp(p->name + n - 5, "-init") == 0));
}

static void run_one(const struct probe *p)
{
	const char *answer = answer_in(p, mode);
	char word[64];
	int status = 0;

	memset(report, 0, sizeof *report);
	if (is_of_self(p))
		broken("the command is process 1 itself");
	else
		status = try_apart(p);
	word_of(status, word, sizeof word);
	bool ok = mode == MODE_PEER || matches(answer, word);
	printf("%s - %d %s: %s%s%s\n", ok ? "ok" : "not ok", p->promise, p->name, word, report->note[0] ? ": " : "", report->note);
	if (!ok)
		printf("# expected in %s: %s\n", mode_names[mode], answer);
}

/* ---- commands ------------------------------------------------------------------------------------- */

static int unhex(const char *hex, char *text, size_t size)
{
	size_t n = 0;

	for (unsigned byte; n + 1 < size && sscanf(hex + 2 * n, "%2x", &byte) == 1; n++)
		text[n] = (char)byte;
	text[n] = '\0';
	return n > 0 ? 0 : -1;
}

/** needle=HEX is in hexadecimal digits, so that this command line itself does not hold what is looked for. */
static int take(const char *option)
{
	static size_t n;

	if (strncmp(option, "needle=", 7) == 0 && n < sizeof needles / sizeof *needles - 1)
		return unhex(option + 7, needles[n++], sizeof *needles);
	if (strncmp(option, "abstract=", 9) == 0)
		return unhex(option + 9, host_abstract, sizeof host_abstract);
	if (strncmp(option, "without=", 8) == 0)
		return snprintf(left_out, sizeof left_out, "%s", option + 8) < (int)sizeof left_out ? 0 : -1;
	if (strncmp(option, "tcp=", 4) == 0)
		return (host_tcp_port = (unsigned)atoi(option + 4)) > 0 ? 0 : -1;
	if (strncmp(option, "vsock=", 6) == 0)
		return host_vsock_port = (unsigned)atoi(option + 6), 0;
	with_loopback = strcmp(option, "loopback") == 0;
	return with_loopback ? 0 : -1;
}

/** In the first pid namespace, whose number is always the same. */
static bool is_outside(void)
{
	char text[64] = "";

	return readlink("/proc/self/ns/pid", text, sizeof text - 1) < 0 || strcmp(text, "pid:[4026531836]") == 0;
}

/** Started outside of any box it would do what it tries: set the host's name, for one. The host's own ids are the whole map. In the
 * box of another tool's, which may have no other ids, that is what is asked for. */
static bool is_host_root(void)
{
	if (mode == MODE_PEER && !is_outside())
		return false;
	unsigned long in = 1, out = 1, n = 0;
	FILE *map = geteuid() == 0 ? fopen("/proc/self/uid_map", "re") : NULL;

	if (map == NULL)
		return false;
	bool read = fscanf(map, "%lu %lu %lu", &in, &out, &n) == 3;
	fclose(map);
	return read && in == 0 && out == 0 && n == UINT32_MAX;
}

static int run(int argc, char **argv)
{
	const char *which = argc > 1 ? argv[1] : "";
	int promise = isdigit(which[0]) ? atoi(which) : -1;

	mode = mode_by_name(argc > 0 ? argv[0] : "");
	if (which[0] == '\0' || mode == MODES)
		return fprintf(stderr, "probe run: which mode and promise?\n"), 2;
	if (is_host_root())
		return fprintf(stderr, "probe run: as root of the host it would do what it tries; start it in a sandbox\n"), 2;
	for (int i = 2; i < argc; i++)
		if (take(argv[i]) != 0)
			return fprintf(stderr, "probe run: unknown: %s\n", argv[i]), 2;
	report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED)
		return perror("mmap"), 2;
	const struct probe *p;
	for (size_t i = 0; (p = nth_probe(i)) != NULL; i++)
		if ((promise < 0 ? strcmp(which, p->name) == 0 : promise == p->promise || (promise == 0 && start_of(p->name) == NULL)) && is_for(p, mode) && strcmp(p->name, left_out) != 0)
			run_one(p);
	/* The last line: without it this program itself has died. */
	printf("# end\n");
	return 0;
}

const char *mode_name(enum mode m)
{
	return mode_names[m];
}

enum mode mode_by_name(const char *name)
{
	enum mode m = 0;

	while (m < MODES && strcmp(mode_names[m], name) != 0)
		m++;
	return m;
}

const struct probe *nth_probe(size_t n)
{
	for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
		for (const struct probe *p = tables[t]; p->name != NULL; p++)
			if (n-- == 0)
				return p;
	return NULL;
}

int probes_of(int promise, enum mode m)
{
	const struct probe *p;
	int n = 0;

	for (size_t i = 0; (p = nth_probe(i)) != NULL; i++)
		n += p->promise == promise && is_for(p, m);
	return n;
}

static int list(const char *name)
{
	enum mode m = mode_by_name(name);
	const struct probe *p;

	for (size_t i = 0; (p = nth_probe(i)) != NULL; i++)
		if (m == MODES || is_for(p, m))
			printf("%d %s\n", p->promise, p->name);
	return 0;
}

/** A probe that a profile lets through has its reason; one that none lets through has none. */
static int permits(void)
{
	const struct probe *p;
	int bad = 0;

	for (size_t i = 0; (p = nth_probe(i)) != NULL; i++) {
		char in[64] = "";

		for (enum mode m = MODE_STRICT; m <= MODE_DEBUG; m++)
			if (strstr(answer_in(p, m), "through") != NULL) {
				strcat(in, in[0] == '\0' ? "" : ", ");
				strcat(in, mode_names[m]);
			}
		if ((in[0] != '\0') != (p->reason != NULL))
			bad = fprintf(stderr, "%s: permitted without a reason, or the other way round\n", p->name);
		if (in[0] != '\0' && p->reason != NULL)
			printf("- _%s_ (%s): %s\n", p->name, in, p->reason);
	}
	return bad != 0;
}

/* ---- for the probes ----------------------------------------------------------------------------- */

int segment_key(const char *name)
{
	unsigned key = 2166136261;

	for (; *name != '\0'; name++)
		key = (key ^ (unsigned char)*name) * 16777619;
	/* 0 would be IPC_PRIVATE. */
	return (int)(key | 1);
}

ssize_t slurp(const char *path, char *data, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;
	size_t total = 0;

	data[0] = '\0';
	if (fd < 0)
		return -1;
	while (total + 1 < size && (n = read(fd, data + total, size - 1 - total)) > 0)
		total += (size_t)n;
	int saved = errno;
	close(fd);
	errno = saved;
	data[total] = '\0';
	return n < 0 && total == 0 ? -1 : (ssize_t)total;
}

const char *field(const char *path, const char *name)
{
	static char text[16384];
	char *line;

	if (slurp(path, text, sizeof text) <= 0)
		return NULL;
	for (char *rest = text; (line = strsep(&rest, "\n")) != NULL;)
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			return line + strlen(name) + 1 + strspn(line + strlen(name) + 1, " \t");
	return NULL;
}

int put_file(const char *path, mode_t bits)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, bits);

	if (fd < 0)
		return -1;
	ssize_t n = write(fd, "probe\n", 6);
	close(fd);
	return n == 6 ? 0 : -1;
}

bool is_dangerous(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && ((st.st_mode & 06000) != 0 || S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "run") == 0)
		return run(argc - 2, argv + 2);
	if (strcmp(what, "list") == 0)
		return list(argc > 2 ? argv[2] : "");
	if (strcmp(what, "permits") == 0)
		return permits();
	if (strcmp(what, "classes") == 0)
		return classes_main(argc - 2, argv + 2);
	if (strcmp(what, "starts") == 0)
		return starts_main(argc - 2, argv + 2);
	if (strcmp(what, "suite") == 0)
		return suite_main(argc - 2, argv + 2);
	if (strcmp(what, "caller") == 0)
		return caller_main(argc - 2, argv + 2);
	if (strcmp(what, "alone") == 0)
		return alone_main(argc - 2, argv + 2);
	if (strcmp(what, "kills") == 0)
		return kills_main(argc - 2, argv + 2);
	if (strcmp(what, "act") == 0)
		return act_main(argc - 2, argv + 2);
	fprintf(stderr, "probe: unknown: %s\n", what);
	return 2;
}
