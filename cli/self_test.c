/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/self_test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "profiles/profiles.h"

#define SELF_TEST_SCHEMA "https://glovebox.dev/schemas/self-test/v1"
/** The suite's lines are cut at this length by itself. */
#define LINE_MAX_BYTES 1100
#define PROFILES 3

/** As in glovebox-security(7), by number. */
static const char *const promises[] = {
	NULL, "nothing of the caller gets in", "no privilege", "no call to the kernel that builds have no use for", "no foreign ABI",
	"no odd sockets", "no network but what was asked for", "all outside of the declared places is read-only",
	"no setuid, device or capability", "nothing lives on", NULL, "mounts cannot be aimed at the host", "limits hold",
};
#define PROMISES ARRAY_LEN(promises)
static const char *const profiles[PROFILES] = { "strict", "default", "debug" };

/** How many probes of a promise were tried under one profile, and what became of them. */
struct tally {
	unsigned held, permitted, failed;
};

struct outcome {
	struct tally of[PROMISES][PROFILES];
	struct buf failures;  /**< a line each */
	size_t profile;       /**< whose lines are being read; PROFILES: none's */
	char from[32];        /**< when it began */
	unsigned seconds;
};

static unsigned failed(const struct outcome *o)
{
	unsigned n = 0;

	for (size_t p = 0; p < PROMISES; p++)
		for (size_t i = 0; i < PROFILES; i++)
			n += o->of[p][i].failed;
	return n;
}

/* ---- running it -------------------------------------------------------------------------- */

/** The small program that users start, and the probes: beside the engine in a build directory, and as they are installed. */
static int find_programs(char glovebox[PATH_MAX + 32], char probes[PATH_MAX + 32], struct err *err)
{
	char dir[PATH_MAX];

	if (program_directory(dir, err) < 0)
		return -1;
	snprintf(probes, PATH_MAX + 32, "%sescape-probes", dir);
	snprintf(glovebox, PATH_MAX + 32, "%sglovebox", dir);
	if (access(glovebox, X_OK) < 0)
		snprintf(glovebox, PATH_MAX + 32, "%s../../bin/glovebox", dir);
	if (access(probes, X_OK) < 0)
		return err_set(err, ERR_INTERNAL, errno, "start '%s', the probes (install them with the program: make install)", probes);
	return 0;
}

/** Whether it is about one probe, "3 mount: EPERM", and not about a whole run, "3 all 113 probes have answered". */
static bool is_probe(const char *rest)
{
	rest += strcspn(rest, " ");
	rest += strspn(rest, " ");
	return rest[strcspn(rest, " :")] == ':';
}

/** A line of the suite's (tests/escape/probe/suite.c): "@ strict, promise 3", "ok - 3 mount: EPERM", "not ok - …". */
static void read_line(struct outcome *o, char *line)
{
	bool ok = text_starts(line, "ok - ");
	unsigned promise = 0;

	line[strcspn(line, "\n")] = '\0';
	if (text_starts(line, "@ "))
		for (o->profile = 0; o->profile < PROFILES; o->profile++)
			if (strncmp(line + 2, profiles[o->profile], strcspn(line + 2, ",")) == 0)
				break;
	const char *rest = ok ? line + 5 : text_starts(line, "not ok - ") ? line + 9 : NULL;
	if (rest == NULL || o->profile == PROFILES || sscanf(rest, "%u ", &promise) != 1 || promise >= PROMISES || promises[promise] == NULL)
		return;
	struct tally *t = &o->of[promise][o->profile];
	if (!ok) {
		t->failed++;
		buf_addf(&o->failures, "%s: %s\n", profiles[o->profile], rest);
	} else if (is_probe(rest)) {
		unsigned *n = strstr(rest, ": through") != NULL ? &t->permitted : &t->held;

		(*n)++;
	}
}

static int start(const char *probes, const char *glovebox, const char *dir, pid_t *ret_pid, FILE **ret_from, struct err *err)
{
	const char *const argv[] = { probes, "suite", glovebox, dir, profiles[0], profiles[1], profiles[2], NULL };
	posix_spawn_file_actions_t actions;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_set(err, ERR_INTERNAL, errno, "make a pipe");
	auto_fd from = fds[0];
	auto_fd to = fds[1];
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
	int sys = posix_spawn(ret_pid, probes, &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (sys != 0)
		return err_set(err, ERR_INTERNAL, sys, "start '%s'", probes);
	*ret_from = fdopen(from, "r");
	if (*ret_from == NULL)
		return err_set(err, ERR_INTERNAL, errno, "read from '%s'", probes);
	(void)move_fd(&from);
	return 0;
}

static int run_suite(const char *dir, struct outcome *o, struct err *err)
{
	char glovebox[PATH_MAX + 32], probes[PATH_MAX + 32], line[LINE_MAX_BYTES];
	auto_file from = NULL;
	int status = 0;
	pid_t pid;

	if (find_programs(glovebox, probes, err) < 0 || start(probes, glovebox, dir, &pid, &from, err) < 0)
		return -1;
	while (fgets(line, sizeof line, from) != NULL)
		read_line(o, line);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (cli_caught_signal() != 0)
		return err_set(err, ERR_INTERRUPTED, 0, "the self-test was interrupted");
	if (status != 0)
		return err_set(err, ERR_INTERNAL, 0, "the probes ended before their time (%s %d)", WIFSIGNALED(status) ? "signal" : "exit",
			       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return buf_check(&o->failures, "failures", err);
}

/** In a directory of its own, with all that steps see; gone afterwards. */
static int run_in_place(const char *tmp, struct outcome *o, struct err *err)
{
	char dir[PATH_MAX];
	struct err late = {0};
	time_t from = time(NULL);

	text_time(from, o->from);
	auto_fd signals = cli_catch_signals(err);
	if (signals < 0)
		return -1;
	if (snprintf(dir, sizeof dir, "%s/glovebox-self-test.XXXXXX", tmp) >= (int)sizeof dir || mkdtemp(dir) == NULL ||
	    chmod(dir, 0755) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a directory in '%s' (choose another with TMPDIR)", tmp);
	int result = run_suite(dir, o, err);
	o->seconds = (unsigned)(time(NULL) - from);
	if (io_remove_tree(AT_FDCWD, dir, &late) < 0 && result == 0) {
		*err = late;
		result = -1;
	}
	return result;
}

/* ---- telling ------------------------------------------------------------------------------ */

static void cell(const struct tally *t)
{
	printf(" %u held", t->held);
	if (t->permitted != 0)
		printf(", %u permitted", t->permitted);
	if (t->failed != 0)
		printf(", **%u FAILED**", t->failed);
	printf(" |");
}

static void print_head(const struct outcome *o)
{
	struct utsname kernel = {0};
	char digest[DIGEST_STR_SIZE];

	(void)uname(&kernel);
	printf("## glovebox self-test\n\n| | |\n| --- | --- |\n| glovebox | %s |\n| began, took | %s, %u s |\n| kernel | %s %s %s |\n| as | uid %u |\n",
	       GB_VERSION, o->from, o->seconds, kernel.sysname, kernel.release, kernel.machine, (unsigned)getuid());
	for (size_t i = 0; i < PROFILES; i++)
		printf("| filter of %s | %s |\n", profiles[i], digest_str(&profile_builtin(profiles[i])->bpf_digest, digest));
}

static void print_table(const struct outcome *o)
{
	print_head(o);
	printf("\n| promise (glovebox-security(7)) |");
	for (size_t i = 0; i < PROFILES; i++)
		printf(" %s |", profiles[i]);
	puts("\n| --- | --- | --- | --- |");
	for (size_t p = 0; p < PROMISES; p++) {
		if (promises[p] == NULL)
			continue;
		printf("| %zu. %s |", p, promises[p]);
		for (size_t i = 0; i < PROFILES; i++)
			cell(&o->of[p][i]);
		putchar('\n');
	}
	puts("\nPermitted: what a profile lets through on purpose; glovebox-profile(5) gives the reasons.");
	if (failed(o) == 0) {
		puts("Verdict: nothing got through.");
		return;
	}
	printf("Verdict: **%u probes did not get the answer that they must get**:\n\n", failed(o));
	for (const char *at = o->failures.data, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		auto_buf line = {0};

		buf_addf(&line, "- %.*s", (int)(end - at), at);
		cli_print_safe(stdout, line.data == NULL ? "" : line.data);
	}
}

/** One profile: [{"promise", "title", "held", "permitted", "failed"}]. */
static json_t *tallies_json(const struct outcome *o, size_t profile)
{
	json_t *all = json_array();

	for (size_t p = 0; p < PROMISES; p++) {
		const struct tally *t = &o->of[p][profile];

		if (promises[p] != NULL)
			(void)json_array_append_new(all, json_pack("{s:i, s:s, s:i, s:i, s:i}", "promise", (int)p, "title", promises[p], "held",
								   (int)t->held, "permitted", (int)t->permitted, "failed", (int)t->failed));
	}
	return all;
}

static int print_json(const struct outcome *o, struct err *err)
{
	auto_json of_profiles = json_object();
	auto_json failures = json_array();
	struct utsname kernel = {0};

	(void)uname(&kernel);
	for (size_t i = 0; i < PROFILES; i++) {
		char digest[DIGEST_STR_SIZE];

		(void)json_object_set_new(of_profiles, profiles[i],
					  json_pack("{s:s, s:o}", "filter", digest_str(&profile_builtin(profiles[i])->bpf_digest, digest), "promises",
						    tallies_json(o, i)));
	}
	for (const char *at = o->failures.data, *end; at != NULL && (end = strchr(at, '\n')) != NULL; at = end + 1)
		(void)json_array_append_new(failures, json_bytes(at, (size_t)(end - at)));
	auto_json all = json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:b, s:O, s:O}", "schema", SELF_TEST_SCHEMA, "glovebox", GB_VERSION, "began",
				  o->from, "seconds", (int)o->seconds, "kernel", kernel.release, "machine", kernel.machine, "uid", (int)getuid(),
				  "passed", failed(o) == 0, "profiles", of_profiles, "failures", failures);
	return all == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "self-test") : cli_print_json(all, err);
}

/** Of every promise something was tried, under every profile: a suite that says nothing has proven nothing. */
static bool is_whole(const struct outcome *o)
{
	for (size_t p = 0; p < PROMISES; p++)
		for (size_t i = 0; promises[p] != NULL && i < PROFILES; i++)
			if (o->of[p][i].held == 0)
				return false;
	return true;
}

int self_test(const char *tmp, bool as_json, bool *ret_passed, struct err *err)
{
	struct outcome o = { .profile = PROFILES };
	int result = run_in_place(tmp, &o, err);

	if (result == 0 && failed(&o) == 0 && !is_whole(&o))
		result = err_set(err, ERR_INTERNAL, 0, "the probes did not try every promise");
	if (result == 0 && as_json)
		result = print_json(&o, err);
	else if (result == 0)
		print_table(&o);
	*ret_passed = failed(&o) == 0;
	buf_free(&o.failures);
	return result;
}
