/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As real root each test forks a child that drops and looks at itself; as an
 * ordinary user (or uid 0 of a single-id user namespace) the same calls must
 * change nothing, and the tests assert that instead.
 */
#include "help.h"

#include <grp.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

#define CAP_BIT(cap) (1ull << (cap))

/** A field of /proc/self/status as it stands, or "". */
static void status_field(const char *name, char out[256])
{
	struct err err = {0};
	auto_buf status = {0};

	out[0] = '\0';
	if (io_read_file(AT_FDCWD, "/proc/self/status", 1 << 20, &status, &err) < 0)
		return;
	for (char *save, *line = strtok_r(status.data, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		if (text_starts(line, name) && line[strlen(name)] == ':')
			snprintf(out, 256, "%s", line + strlen(name) + 1);
}

static unsigned long long capabilities(const char *set)
{
	char field[256];

	status_field(set, field);
	return strtoull(field, NULL, 16);
}

/** Real, effective, saved and file system ids are these. */
static bool ids_are(const char *name, unsigned real, unsigned effective, unsigned saved)
{
	char field[256];
	unsigned r, e, s, f;

	status_field(name, field);
	return sscanf(field, "%u %u %u %u", &r, &e, &s, &f) == 4 && r == real && e == effective && s == saved &&
	       f == effective;
}

static bool is_real_root(void)
{
	struct err err = {0};
	struct ident id;

	assert_int_equal(ident_detect(&id, &err), 0);
	return id.real_root;
}

static void detection(void **state)
{
	struct err err = {0};
	struct ident id;
	unsigned long inside = 1, outside, count = 0;
	auto_file map = fopen("/proc/self/uid_map", "re");

	(void)state;
	assert_non_null(map);
	assert_int_equal(fscanf(map, "%lu %lu %lu", &inside, &outside, &count), 3);
	assert_int_equal(ident_detect(&id, &err), 0);
	assert_int_equal(id.caller_uid, getuid());
	assert_int_equal(id.caller_gid, getgid());
	assert_int_equal(id.real_root, getuid() == 0 && inside == 0 && count > 1);
	assert_int_equal(id.step_uid, id.real_root ? IDENT_STEP_ID : getuid());
	assert_int_equal(id.step_gid, id.real_root ? IDENT_STEP_ID : getgid());
}

static int write_text(const char *path, const char *text)
{
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return 0;
}

/** uid 0 of a namespace that maps it alone is nobody's root: all calls do nothing. */
static int single_id(struct place *p)
{
	struct err err = {0};
	struct ident id;
	char map[64];

	(void)p;
	snprintf(map, sizeof map, "0 %u 1", geteuid());
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(write_text("/proc/self/uid_map", map) == 0);
	CHECK(getuid() == 0);
	CHECK(ident_detect(&id, &err) == 0);
	CHECK(!id.real_root && id.step_uid == 0);
	CHECK(ident_drop(&id, &err) == 0 && ident_read_begin(&id, &err) == 0 && ident_read_end(&id, &err) == 0);
	CHECK(ident_caller_begin(&id, &err) == 0 && ident_caller_end(&id, &err) == 0);
	CHECK(geteuid() == 0 && capabilities("CapEff") != 0);
	return 0;
}

static void root_of_a_single_id_namespace_is_no_root(void **state)
{
	in_child(single_id, *state);
}

/** A setuid start: real and effective ids differ. */
static int started_setuid(struct place *p)
{
	struct err err = {0};
	struct ident id = { .step_uid = 77 };

	(void)p;
	CHECK(setresuid(1234, 0, 0) == 0);
	CHECK(ident_detect(&id, &err) == -1);
	CHECK(err.kind == ERR_USAGE && strstr(err.msg, "setuid") != NULL);
	CHECK(id.step_uid == 77);
	return 0;
}

static int started_setgid(struct place *p)
{
	struct err err = {0};
	struct ident id;

	(void)p;
	CHECK(setresgid(1234, 0, 0) == 0);
	CHECK(ident_detect(&id, &err) == -1);
	CHECK(err.kind == ERR_USAGE);
	return 0;
}

static void a_setuid_program_refuses(void **state)
{
	if (is_real_root()) {
		in_child(started_setuid, *state);
		in_child(started_setgid, *state);
	} else {
		/* It cannot come about here: no other id can be taken. */
		assert_int_equal(setresuid((uid_t)-1, geteuid() == 0 ? 1 : 0, (uid_t)-1), -1);
	}
}

/** For an ordinary user: a call changes neither ids nor groups nor capabilities. */
static int changes_nothing(struct place *p)
{
	struct err err = {0};
	struct ident id;
	char before[4][256], after[4][256];
	static const char *const fields[] = { "Uid", "Gid", "Groups", "CapEff" };

	(void)p;
	CHECK(ident_detect(&id, &err) == 0);
	for (size_t i = 0; i < 4; i++)
		status_field(fields[i], before[i]);
	CHECK(ident_drop(&id, &err) == 0);
	CHECK(ident_read_begin(&id, &err) == 0);
	CHECK(ident_read_end(&id, &err) == 0);
	CHECK(ident_caller_begin(&id, &err) == 0);
	CHECK(ident_caller_end(&id, &err) == 0);
	CHECK(err.kind == ERR_NONE);
	for (size_t i = 0; i < 4; i++) {
		status_field(fields[i], after[i]);
		CHECK(strcmp(before[i], after[i]) == 0);
	}
	return 0;
}

/** Runs @p as_root as real root; for anybody else, asserts that the calls do nothing. */
static void as_root_or_nothing(int (*as_root)(struct place *), struct place *p)
{
	in_child(is_real_root() ? as_root : changes_nothing, p);
}

/** Detects and drops, with supplementary groups to lose. */
static int drop(struct ident *id)
{
	struct err err = {0};

	CHECK(setgroups(3, (gid_t[]){ 0, 4, 27 }) == 0);
	CHECK(ident_detect(id, &err) == 0);
	CHECK(ident_drop(id, &err) == 0);
	return 0;
}

static bool is_dropped(const struct ident *id)
{
	return ids_are("Uid", 0, id->step_uid, 0) && ids_are("Gid", id->caller_gid, id->step_gid, id->caller_gid) &&
	       getgroups(0, NULL) == 0 && capabilities("CapEff") == 0;
}

static int check_drop(struct place *p)
{
	struct ident id;

	(void)p;
	CHECK(drop(&id) == 0);
	CHECK(is_dropped(&id));
	CHECK(id.step_uid == IDENT_STEP_ID && id.step_gid == IDENT_STEP_ID);
	/* Root stays in reserve. */
	CHECK(capabilities("CapPrm") & CAP_BIT(CAP_SETUID));
	/* What uid_map(5) of a child needs. */
	CHECK(prctl(PR_GET_DUMPABLE) == 1);
	return 0;
}

static void the_drop_takes_ids_groups_and_capabilities(void **state)
{
	as_root_or_nothing(check_drop, *state);
}

static int check_given_ids(struct place *p)
{
	struct err err = {0};
	struct ident id;

	(void)p;
	CHECK(ident_detect(&id, &err) == 0);
	id.step_uid = 4321;
	id.step_gid = 1234;
	CHECK(ident_drop(&id, &err) == 0);
	CHECK(is_dropped(&id) && geteuid() == 4321 && getegid() == 1234);
	return 0;
}

static void the_step_user_may_be_given(void **state)
{
	as_root_or_nothing(check_given_ids, *state);
}

static int check_step_zero(struct place *p)
{
	static const struct {
		uid_t uid;
		gid_t gid;
	} rows[] = { { 0, 1000 }, { 1000, 0 }, { 0, 0 } };

	(void)p;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {0};
		struct ident id;

		CHECK(ident_detect(&id, &err) == 0);
		id.step_uid = rows[i].uid;
		id.step_gid = rows[i].gid;
		CHECK(ident_drop(&id, &err) == -1);
		CHECK(err.kind == ERR_USAGE && strstr(err.msg, "--step-user") != NULL);
		CHECK(ids_are("Uid", 0, 0, 0));
	}
	return 0;
}

static void step_ids_of_zero_are_refused(void **state)
{
	as_root_or_nothing(check_step_zero, *state);
}

static int check_bad_id(struct place *p)
{
	struct err err = {0};
	struct ident id;

	(void)p;
	CHECK(ident_detect(&id, &err) == 0);
	id.step_uid = (uid_t)-1;
	CHECK(ident_drop(&id, &err) == -1);
	CHECK(err.kind == ERR_HOST && err.sys == EINVAL);
	return 0;
}

static void ids_that_are_none_are_an_error(void **state)
{
	as_root_or_nothing(check_bad_id, *state);
}

/** A file and a directory that are root's alone. */
static int make_secret(struct place *p)
{
	CHECK(fchmod(p->fd, 0755) == 0);
	CHECK(mkdirat(p->fd, "private", 0700) == 0);
	auto_fd fd = openat(p->fd, "private/secret", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, "secret", 6) == 6);
	return 0;
}

static int try_open(struct place *p, int flags)
{
	auto_fd fd = openat(p->fd, "private/secret", flags | O_CLOEXEC);

	return fd >= 0 ? 0 : errno;
}

static int check_read(struct place *p)
{
	struct err err = {0};
	struct ident id;
	auto_buf text = {0};

	CHECK(make_secret(p) == 0 && drop(&id) == 0);
	CHECK(try_open(p, O_RDONLY) == EACCES);
	CHECK(ident_read_begin(&id, &err) == 0);
	CHECK(capabilities("CapEff") == (CAP_BIT(CAP_DAC_READ_SEARCH) | (capabilities("CapPrm") & CAP_BIT(CAP_LEASE))));
	CHECK(io_read_file(p->fd, "private/secret", 100, &text, &err) == 0);
	CHECK(strcmp(text.data, "secret") == 0);
	CHECK(geteuid() == id.step_uid && getegid() == id.step_gid);
	CHECK(try_open(p, O_WRONLY) == EACCES);
	CHECK(try_open(p, O_RDWR) == EACCES);
	CHECK(unlinkat(p->fd, "private/secret", 0) == -1 && errno == EACCES);
	CHECK(mkdirat(p->fd, "private/x", 0700) == -1 && errno == EACCES);
	CHECK(ident_read_end(&id, &err) == 0);
	CHECK(is_dropped(&id));
	CHECK(try_open(p, O_RDONLY) == EACCES);
	CHECK(prctl(PR_GET_DUMPABLE) == 1);
	return 0;
}

static void the_read_bracket_reads_and_does_not_write(void **state)
{
	as_root_or_nothing(check_read, *state);
}

/** Takes capabilities out of the permitted set, as a container does before it starts us. */
static int lose(const cap_value_t *caps, int n)
{
	cap_t all = cap_get_proc();

	CHECK(all != NULL);
	CHECK(cap_set_flag(all, CAP_EFFECTIVE, n, caps, CAP_CLEAR) == 0);
	CHECK(cap_set_flag(all, CAP_PERMITTED, n, caps, CAP_CLEAR) == 0);
	CHECK(cap_set_proc(all) == 0);
	cap_free(all);
	return 0;
}

/** docker run leaves its root CAP_DAC_OVERRIDE but not CAP_DAC_READ_SEARCH. */
static int check_read_in_docker(struct place *p)
{
	struct err err = {0};
	struct ident id;

	CHECK(make_secret(p) == 0);
	CHECK(lose((cap_value_t[]){ CAP_DAC_READ_SEARCH }, 1) == 0 && drop(&id) == 0);
	CHECK(try_open(p, O_RDONLY) == EACCES);
	CHECK(ident_read_begin(&id, &err) == 0);
	CHECK(try_open(p, O_RDONLY) == 0);
	CHECK(ident_read_end(&id, &err) == 0);
	CHECK(is_dropped(&id) && try_open(p, O_RDONLY) == EACCES);
	return 0;
}

static int check_read_with_neither(struct place *p)
{
	struct err err = {0};
	struct ident id;

	CHECK(make_secret(p) == 0);
	CHECK(lose((cap_value_t[]){ CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE }, 2) == 0 && drop(&id) == 0);
	CHECK(ident_read_begin(&id, &err) == 0);
	CHECK(is_dropped(&id) && try_open(p, O_RDONLY) == EACCES);
	CHECK(ident_read_end(&id, &err) == 0);
	CHECK(is_dropped(&id));
	return 0;
}

static void the_read_bracket_takes_what_the_container_left(void **state)
{
	as_root_or_nothing(check_read_in_docker, *state);
	place_leave(state);
	assert_int_equal(place_enter(state), 0);
	as_root_or_nothing(check_read_with_neither, *state);
}

static int check_caller(struct place *p)
{
	struct err err = {0};
	struct ident id;
	struct stat st;

	CHECK(make_secret(p) == 0 && drop(&id) == 0);
	CHECK(mkdirat(p->fd, "private/out", 0755) == -1 && errno == EACCES);
	CHECK(ident_caller_begin(&id, &err) == 0);
	CHECK(io_mkdirs(p->fd, "private/out", 0755, &err) == 0);
	CHECK(io_publish(p->fd, "private/out/f", "x", 1, 0644, 0, &err) == 0);
	CHECK(prctl(PR_GET_DUMPABLE) == 1);
	CHECK(ident_caller_end(&id, &err) == 0);
	CHECK(is_dropped(&id));
	CHECK(prctl(PR_GET_DUMPABLE) == 1);
	CHECK(try_open(p, O_RDONLY) == EACCES);
	CHECK(seteuid(0) == 0);
	CHECK(fstatat(p->fd, "private/out/f", &st, 0) == 0);
	CHECK(st.st_uid == id.caller_uid && st.st_gid == id.caller_gid);
	return 0;
}

static int check_caller_with_a_group(struct place *p)
{
	/* Root whose group is another one, as `sudo -g` or setpriv makes it. */
	CHECK(setresgid(4242, 4242, 4242) == 0);
	return check_caller(p);
}

static void the_caller_bracket_makes_the_callers_files(void **state)
{
	as_root_or_nothing(check_caller, *state);
	place_leave(state);
	assert_int_equal(place_enter(state), 0);
	as_root_or_nothing(check_caller_with_a_group, *state);
}

static int check_repeated(struct place *p)
{
	struct err err = {0};
	struct ident id;

	CHECK(make_secret(p) == 0 && drop(&id) == 0);
	for (int i = 0; i < 20; i++) {
		CHECK(ident_read_begin(&id, &err) == 0 && try_open(p, O_RDONLY) == 0);
		CHECK(ident_read_end(&id, &err) == 0 && is_dropped(&id));
		CHECK(ident_caller_begin(&id, &err) == 0 && try_open(p, O_RDWR) == 0);
		CHECK(ident_caller_end(&id, &err) == 0 && is_dropped(&id));
	}
	return 0;
}

static void brackets_come_one_after_another(void **state)
{
	as_root_or_nothing(check_repeated, *state);
}

/** The point of it all: a dropped process can make a user namespace for itself and write its map. */
static int check_namespace(struct place *p)
{
	struct ident id;
	char map[64];

	(void)p;
	CHECK(drop(&id) == 0);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		snprintf(map, sizeof map, "1000 %u 1", id.step_uid);
		if (setresgid(id.step_gid, id.step_gid, id.step_gid) != 0 ||
		    setresuid(id.step_uid, id.step_uid, id.step_uid) != 0 || prctl(PR_SET_DUMPABLE, 1) != 0 ||
		    unshare(CLONE_NEWUSER) != 0 || write_text("/proc/self/uid_map", map) != 0)
			_exit(1);
		_exit(getuid() == 1000 ? 0 : 2);
	}
	int status;
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	return 0;
}

static void the_step_user_can_make_a_namespace(void **state)
{
	as_root_or_nothing(check_namespace, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(detection),
		test_in_place(root_of_a_single_id_namespace_is_no_root),
		test_in_place(a_setuid_program_refuses),
		test_in_place(the_drop_takes_ids_groups_and_capabilities),
		test_in_place(the_step_user_may_be_given),
		test_in_place(step_ids_of_zero_are_refused),
		test_in_place(ids_that_are_none_are_an_error),
		test_in_place(the_read_bracket_reads_and_does_not_write),
		test_in_place(the_read_bracket_takes_what_the_container_left),
		test_in_place(the_caller_bracket_makes_the_callers_files),
		test_in_place(brackets_come_one_after_another),
		test_in_place(the_step_user_can_make_a_namespace),
	};

	return cmocka_run_group_tests_name("ident", tests, NULL, NULL);
}
