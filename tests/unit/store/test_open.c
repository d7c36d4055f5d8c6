/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and making a store, whose it is, and the scratch of runs that died. */
#include "help.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>

/** Opens the store @p name of the world in a process as it is: real root drops to the step user. */
static int open_as_is(struct world *w, const char *name, struct ident *id, struct store **ret)
{
	char path[5000];

	snprintf(path, sizeof path, "%s/%s", w->path, name);
	return store_open(path, id, ret, &w->err);
}

static void assert_refused(struct world *w, const char *name, enum err_kind kind, const char *text)
{
	struct ident id = same_ident();
	struct store *s = NULL;

	assert_int_equal(open_as_is(w, name, &id, &s), -1);
	assert_error(kind, text);
	assert_null(s);
}

static void a_store_is_made_with_its_parents(void **state)
{
	struct world *w = *state;
	struct ident id = same_ident();
	auto_store s = NULL;
	struct stat st;

	must(open_as_is(w, "a/b/c", &id, &s));
	assert_int_equal(fstat(store_fd(s), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true(fcntl(store_fd(s), F_GETFD) & FD_CLOEXEC);
	shell(w, "cd a/b/c; test \"$(cat version)\" = 'glovebox-store 1'; test \"$(echo *)\" = 'mnt names objects rootfs tmp trees version'");
	assert_int_equal(store_ident(s)->caller_uid, geteuid());
}

static void a_store_opens_again_and_again(void **state)
{
	struct world *w = *state;
	struct ident id = same_ident();
	auto_store a = NULL;
	auto_store b = NULL;
	struct digest d;

	must(store_put_bytes(w->store, "abc", 3, &d, &w->err));
	must(open_as_is(w, "store", &id, &a));
	must(open_as_is(w, "store/", &id, &b));
	auto_fd fd = -1;
	must(store_open_object(b, &d, &fd, &w->err));
}

static void an_empty_directory_becomes_a_store(void **state)
{
	struct world *w = *state;
	struct ident id = same_ident();
	auto_store s = NULL;
	struct stat st;

	/* What is left when the making was interrupted counts as nothing. */
	shell(w, "mkdir -m 755 e; touch e/.glovebox-0123.tmp; mkdir e/lost+found");
	must(open_as_is(w, "e", &id, &s));
	assert_int_equal(fstat(store_fd(s), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void what_is_no_store_is_refused(void **state)
{
	struct world *w = *state;

	shell(w, "mkdir full other newer open; touch full/x file\n"
		 "echo something >other/version; echo glovebox-store 2 >newer/version\n"
		 "echo glovebox-store 1 >open/version; chmod 770 open");
	assert_refused(w, "full", ERR_USAGE, "not a store");
	assert_refused(w, "file", ERR_USAGE, "Not a directory");
	assert_refused(w, "other", ERR_USAGE, "says something else");
	assert_refused(w, "newer", ERR_USAGE, "another version");
	assert_refused(w, "open", ERR_HOST, "others may write");
	shell(w, "mkdir -p odd/version");
	assert_refused(w, "odd", ERR_USAGE, "not a regular file");
	shell(w, "test \"$(ls -A full)\" = x; test \"$(ls -A other)\" = version");
	struct ident id = same_ident();
	struct store *s = NULL;
	assert_int_equal(store_open("", &id, &s, &w->err), -1);
	assert_error(ERR_USAGE, "empty");
}

static int open_store_of_another(struct world *w)
{
	struct ident id;
	struct store *s = NULL;

	if (geteuid() == 0)
		CHECK(setgroups(0, NULL) == 0 && setresgid(65530, 65530, 65530) == 0 && setresuid(65530, 65530, 65530) == 0);
	CHECK(ident_detect(&id, &w->err) == 0);
	CHECK(store_open("/", &id, &s, &w->err) == -1);
	/* As an ordinary user, root's directory is someone else's. */
	CHECK(w->err.kind == ERR_USAGE || w->err.kind == ERR_HOST);
	CHECK(store_open("/proc/self/nothing/store", &id, &s, &w->err) == -1);
	CHECK(w->err.kind == ERR_HOST && w->err.sys != 0);
	return 0;
}

static void what_cannot_be_made_is_said(void **state)
{
	in_child(open_store_of_another, *state);
}

static void scratch_is_there_while_it_is_open(void **state)
{
	struct world *w = *state;
	struct store_scratch *s = NULL, *t = NULL;
	char path[100];

	must(store_scratch_open(w->store, &s, &w->err));
	must(store_scratch_open(w->store, &t, &w->err));
	snprintf(path, sizeof path, "%s", store_scratch_path(s));
	assert_string_not_equal(path, store_scratch_path(t));
	assert_true(text_starts(path, "tmp/"));
	assert_true(exists(store_fd(w->store), path));
	put(store_scratch_fd(s), "f", "x", 0600);
	make_dir(store_scratch_fd(s), "work", 0700);
	make_dir(store_scratch_fd(s), "work/work", 0000);
	/* Another run comes and sweeps: what lives stays. */
	struct ident id = same_ident();
	auto_store other = NULL;
	must(open_as_is(w, "store", &id, &other));
	assert_true(exists(store_scratch_fd(s), "f"));
	store_scratch_close(s);
	assert_false(exists(store_fd(w->store), path));
	store_scratch_close(t);
	store_scratch_close(NULL);
	assert_int_equal(entries(store_fd(w->store), "tmp"), 0);
}

/** Opens the world's store, fills scratch, and dies of SIGKILL. */
static int die_with_scratch(struct world *w)
{
	struct ident id = same_ident();
	struct store *s;
	struct store_scratch *scratch;
	struct store_writer *writer;
	auto_free char *data = calloc(1, 600000);

	CHECK(open_as_is(w, "store", &id, &s) == 0);
	CHECK(store_scratch_open(s, &scratch, &w->err) == 0);
	put(store_scratch_fd(scratch), "f", "x", 0600);
	make_dir(store_scratch_fd(scratch), "d", 0000);
	CHECK(store_writer_begin(s, &writer, &w->err) == 0);
	CHECK(store_writer_add(writer, data, 600000, &w->err) == 0);
	kill(getpid(), SIGKILL);
	return 1;
}

static void scratch_of_the_dead_is_swept(void **state)
{
	struct world *w = *state;
	int status;

	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		_exit(die_with_scratch(w));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(entries(store_fd(w->store), "tmp"), 2);
	/* And what a sweep, or the making of scratch, left when it was killed itself. */
	shell(w, "cd store/tmp; mkdir -p dead-00/x 0123; touch stray; mkdir 4567; touch 4567/lock");
	struct ident id = same_ident();
	auto_store s = NULL;
	must(open_as_is(w, "store", &id, &s));
	assert_int_equal(entries(store_fd(w->store), "tmp"), 0);
}

/** Makes and drops scratch, and sweeps, over and over. */
static int churn(struct world *w)
{
	for (int i = 0; i < 60; i++) {
		struct ident id = same_ident();
		struct store *s;
		struct store_scratch *scratch;

		CHECK(open_as_is(w, "store", &id, &s) == 0);
		CHECK(store_scratch_open(s, &scratch, &w->err) == 0);
		put(store_scratch_fd(scratch), "f", "x", 0600);
		sched_yield();
		CHECK(exists(store_scratch_fd(scratch), "f"));
		CHECK(exists(store_fd(s), store_scratch_path(scratch)));
		store_scratch_close(scratch);
		store_close(s);
	}
	return 0;
}

static void sweeps_and_scratch_get_along(void **state)
{
	struct world *w = *state;
	pid_t pids[6];

	fflush(NULL);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(churn(w));
	}
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(entries(store_fd(w->store), "tmp"), 0);
}

/* ---- real root ------------------------------------------------------- */

static int root_makes_a_store(struct world *w)
{
	struct ident id;
	struct store *s;
	struct stat st;
	struct digest d;

	CHECK(ident_detect(&id, &w->err) == 0 && id.real_root);
	/* A path that the step user cannot walk. */
	CHECK(mkdirat(w->fd, "closed", 0700) == 0);
	CHECK(open_as_is(w, "closed/sub/s", &id, &s) == 0);
	CHECK(id.step_uid == IDENT_STEP_ID && id.step_gid == IDENT_STEP_ID && geteuid() == IDENT_STEP_ID);
	CHECK(store_ident(s)->step_uid == IDENT_STEP_ID);
	CHECK(fstat(store_fd(s), &st) == 0 && st.st_uid == IDENT_STEP_ID && st.st_gid == IDENT_STEP_ID);
	CHECK(fstatat(store_fd(s), "version", &st, 0) == 0 && st.st_uid == IDENT_STEP_ID);
	CHECK(store_put_bytes(s, "abc", 3, &d, &w->err) == 0);
	CHECK(fstatat(store_fd(s), "objects/ba", &st, 0) == 0 && st.st_uid == IDENT_STEP_ID);
	store_close(s);
	return 0;
}

static int root_makes_a_store_for_a_given_user(struct world *w)
{
	struct ident id;
	struct store *s;
	struct stat st;

	CHECK(ident_detect(&id, &w->err) == 0);
	id.step_uid = 1234;
	id.step_gid = 2345;
	CHECK(mkdirat(w->fd, "e", 0755) == 0);
	CHECK(open_as_is(w, "e", &id, &s) == 0);
	CHECK(geteuid() == 1234 && getegid() == 2345);
	CHECK(fstat(store_fd(s), &st) == 0 && st.st_uid == 1234 && st.st_gid == 2345 && (st.st_mode & 07777) == 0700);
	store_close(s);
	return 0;
}

static int root_becomes_the_stores_owner(struct world *w)
{
	struct ident id;
	struct store *s;

	CHECK(ident_detect(&id, &w->err) == 0);
	CHECK(open_as_is(w, "e", &id, &s) == 0);
	CHECK(id.step_uid == 1234 && id.step_gid == 2345 && geteuid() == 1234);
	store_close(s);
	return 0;
}

/** A run that built as another user as well, and was killed with all its processes, has left what the store's user cannot remove. */
static int root_sweeps_what_is_anothers(struct world *w)
{
	static const char *const dirs[] = { "e/tmp/dead-0", "e/tmp/dead-0/place", "e/tmp/dead-0/place/d" };
	struct ident id;
	struct store *s;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		CHECK(mkdirat(w->fd, dirs[i], 0700) == 0 && fchownat(w->fd, dirs[i], i == 0 ? 1234 : 4321, 2345, 0) == 0);
	CHECK(ident_detect(&id, &w->err) == 0);
	CHECK(open_as_is(w, "e", &id, &s) == 0 && geteuid() == 1234);
	CHECK(entries(store_fd(s), "tmp") == 0);
	store_close(s);
	return 0;
}

static int root_refuses_a_store_of_another_user(struct world *w)
{
	struct ident id, before;
	struct store *s = NULL;

	CHECK(ident_detect(&id, &w->err) == 0);
	id.step_uid = 4321;
	before = id;
	CHECK(open_as_is(w, "e", &id, &s) == -1 && w->err.kind == ERR_USAGE && s == NULL);
	CHECK(strstr(w->err.msg, "1234") != NULL && strstr(w->err.msg, "4321") != NULL);
	CHECK(memcmp(&id, &before, sizeof id) == 0 && geteuid() == 0);
	return 0;
}

static int root_refuses_a_store_of_root(struct world *w)
{
	struct ident id;
	struct store *s = NULL;

	/* The world's own store was made without a change of ids. */
	CHECK(ident_detect(&id, &w->err) == 0);
	CHECK(open_as_is(w, "store", &id, &s) == -1);
	CHECK(w->err.kind == ERR_USAGE && strstr(w->err.msg, "belongs to root") != NULL);
	return 0;
}

/** An empty directory is taken from nobody. */
static int root_adopts_an_empty_directory_for_its_owner(struct world *w)
{
	struct ident id, before;
	struct store *s = NULL;
	struct stat st;

	CHECK(mkdirat(w->fd, "theirs", 0755) == 0 && fchownat(w->fd, "theirs", 1234, 2345, 0) == 0);
	CHECK(ident_detect(&id, &w->err) == 0);
	id.step_uid = 4321;
	before = id;
	CHECK(open_as_is(w, "theirs", &id, &s) == -1 && w->err.kind == ERR_USAGE && s == NULL);
	CHECK(strstr(w->err.msg, "1234") != NULL && memcmp(&id, &before, sizeof id) == 0);
	CHECK(fstatat(w->fd, "theirs", &st, 0) == 0 && st.st_uid == 1234 && (st.st_mode & 07777) == 0755);
	CHECK(ident_detect(&id, &w->err) == 0);
	CHECK(open_as_is(w, "theirs", &id, &s) == 0);
	CHECK(id.step_uid == 1234 && id.step_gid == 2345 && geteuid() == 1234);
	CHECK(fstat(store_fd(s), &st) == 0 && st.st_uid == 1234 && st.st_gid == 2345 && (st.st_mode & 07777) == 0700);
	store_close(s);
	return 0;
}

static int root_makes_no_store_through_a_link(struct world *w)
{
	static const char *const names[] = { "link", "link/", "link//", "link/.", "link/./" };
	struct stat st;

	CHECK(mkdirat(w->fd, "empty", 0755) == 0 && symlinkat("empty", w->fd, "link") == 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct ident id;
		struct store *s = NULL;

		CHECK(ident_detect(&id, &w->err) == 0);
		CHECK(open_as_is(w, names[i], &id, &s) == -1 && s == NULL);
		CHECK(w->err.kind == ERR_USAGE && strstr(w->err.msg, "symbolic link") != NULL);
		CHECK(fstatat(w->fd, "empty", &st, 0) == 0 && st.st_uid == 0 && (st.st_mode & 07777) == 0755);
		CHECK(entries(w->fd, "empty") == 0);
	}
	return 0;
}

/** What is a store already may be named so. */
static int root_opens_a_store_through_a_link(struct world *w)
{
	struct ident id;
	struct store *s;

	CHECK(symlinkat("e", w->fd, "to-store") == 0 && ident_detect(&id, &w->err) == 0);
	CHECK(open_as_is(w, "to-store", &id, &s) == 0 && geteuid() == 1234);
	store_close(s);
	return 0;
}

static void real_root_works_as_the_step_user(void **state)
{
	in_child(root_makes_a_store, *state);
	in_child(root_makes_a_store_for_a_given_user, *state);
	in_child(root_becomes_the_stores_owner, *state);
	in_child(root_sweeps_what_is_anothers, *state);
	in_child(root_refuses_a_store_of_another_user, *state);
	in_child(root_refuses_a_store_of_root, *state);
	in_child(root_adopts_an_empty_directory_for_its_owner, *state);
	in_child(root_makes_no_store_through_a_link, *state);
	in_child(root_opens_a_store_through_a_link, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(a_store_is_made_with_its_parents),
		test_in_world(a_store_opens_again_and_again),
		test_in_world(an_empty_directory_becomes_a_store),
		test_in_world(what_is_no_store_is_refused),
		test_in_world(what_cannot_be_made_is_said),
		test_in_world(scratch_is_there_while_it_is_open),
		test_in_world(scratch_of_the_dead_is_swept),
		test_in_world(sweeps_and_scratch_get_along),
		/* Last: only real root can drop its rights. */
		test_in_world(real_root_works_as_the_step_user),
	};
	size_t n = ARRAY_LEN(tests) - !is_real_root();

	return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
