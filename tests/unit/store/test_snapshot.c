/* SPDX-License-Identifier: Apache-2.0 */
/* A directory becomes a tree: normal forms, odd things, things that change meanwhile; golden digests. */
#include "help.h"

#include <sys/un.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

static const struct snapshot_options plain = { .form = TREE_SOURCE };

static void assert_snapshot_fails(struct world *w, const struct snapshot_options *opt, const char *text)
{
	struct tree_builder *b = NULL;

	assert_int_equal(snapshot_with(w, opt, &b, NULL), -1);
	assert_error(ERR_INPUT, text);
}

static void sources_have_two_modes_and_no_owner(void **state)
{
	struct world *w = *state;

	put(w->in, "plain", "", 0600);
	put(w->in, "run", "", 0700);
	put(w->in, "group-x", "", 0674);
	put(w->in, "setuid", "", 06755);
	make_dir(w->in, "d", 01777);
	assert_int_equal(symlinkat("nowhere", w->in, "l"), 0);
	assert_int_equal(fchmod(w->in, 0700), 0);
	auto_free char *m = manifest_of_in(w, TREE_SOURCE);
#define E "size=0 sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
	assert_string_equal(m, "#mtree\n. type=dir mode=0755\n./d type=dir mode=0755\n./group-x type=file mode=0644 " E
			    "./l type=link link=nowhere\n./plain type=file mode=0644 " E "./run type=file mode=0755 " E
			    "./setuid type=file mode=0755 " E);
}

static void rootfs_keeps_modes_but_setuid(void **state)
{
	struct world *w = *state;

	put(w->in, "plain", "", 0600);
	put(w->in, "setuid", "", 06755);
	put(w->in, "none", "", 0000);
	make_dir(w->in, "d", 03775);
	assert_int_equal(symlinkat("nowhere", w->in, "l"), 0);
	assert_int_equal(fchmod(w->in, 0700), 0);
	if (geteuid() != 0)
		assert_int_equal(unlinkat(w->in, "none", 0), 0);
	auto_free char *m = manifest_of_in(w, TREE_ROOTFS);
	/* The caller's own ids are 0, and the root of a rootfs is no content. */
	assert_string_equal(m, geteuid() != 0
			    ? "#mtree\n. type=dir mode=0755\n./d type=dir mode=1775\n./l type=link link=nowhere\n"
			      "./plain type=file mode=0600 " E "./setuid type=file mode=0755 " E
			    : "#mtree\n. type=dir mode=0755\n./d type=dir mode=1775\n./l type=link link=nowhere\n"
			      "./none type=file mode=0000 " E "./plain type=file mode=0600 " E "./setuid type=file mode=0755 " E);
}

static void rootfs_keeps_the_ids_of_others(void **state)
{
	struct world *w = *state;

	put(w->in, "f", "", 0644);
	/* Seen by somebody else, they are another's. */
	store_close(w->store);
	world_open(w);
	struct ident other = w->id;
	other.caller_uid = 4000000000u;
	other.caller_gid = geteuid() == 0 ? 4000000000u : getegid();
	w->id = same_ident();
	/* store_open() would refuse such a caller; the form is the walk's affair. */
	*(struct ident *)store_ident(w->store) = other;
	auto_free char *m = manifest_of_in(w, TREE_ROOTFS);
	char want[256] = "#mtree\n. type=dir mode=0755\n./f type=file mode=0644 ";
	if (geteuid() != 0)
		snprintf(want + strlen(want), 64, "uid=%u ", (unsigned)geteuid());
	strcat(want, E);
	assert_string_equal(m, want);
}

static void contents_are_stored_and_counted(void **state)
{
	struct world *w = *state;
	auto_tree_builder b = NULL;
	struct snapshot_stats st = {0};
	struct digest d;

	make_dir(w->in, "a", 0755);
	put(w->in, "a/abc", "abc", 0644);
	put(w->in, "abc2", "abc", 0644);
	put(w->in, "empty", "", 0644);
	assert_int_equal(symlinkat("a", w->in, "l"), 0);
	assert_int_equal(linkat(w->in, "abc2", w->in, "abc3", 0), 0);
	must(snapshot_with(w, &plain, &b, &st));
	assert_int_equal(st.files, 4);
	assert_int_equal(st.dirs, 2);
	assert_int_equal(st.links, 1);
	assert_int_equal(st.bytes, 9);
	assert_int_equal(st.odd, 0);
	must(store_put_tree(w->store, b, &d, &w->err));
	assert_true(exists(store_fd(w->store), "objects/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	assert_true(exists(store_fd(w->store), "objects/e3"));
	assert_int_equal(entries(store_fd(w->store), "objects"), 2);
}

static void a_digest_alone_stores_nothing(void **state)
{
	struct world *w = *state;
	const struct snapshot_options opt = { .form = TREE_SOURCE, .digest_only = true };
	auto_tree_builder a = NULL;
	auto_tree_builder b = NULL;
	auto_buf x = {0};
	auto_buf y = {0};
	struct snapshot_stats st;

	put(w->in, "f", "abc", 0644);
	must(snapshot_with(w, &opt, &a, NULL));
	assert_int_equal(entries(store_fd(w->store), "objects"), 0);
	must(tree_builder_new(&b, &w->err));
	must(store_snapshot(NULL, w->in, &opt, b, &st, &w->err));
	must(tree_builder_manifest(a, &x, &w->err));
	must(tree_builder_manifest(b, &y, &w->err));
	assert_string_equal(x.data, y.data);
}

static void any_name_will_do(void **state)
{
	struct world *w = *state;
	char name[256], target[4096];

	memset(name, 'n', 255);
	name[255] = '\0';
	put(w->in, name, "", 0644);
	put(w->in, "new\nline", "", 0644);
	put(w->in, "\xff\xfe", "", 0644);
	put(w->in, "-rf *", "", 0644);
	memset(target, 't', 4095);
	target[4095] = '\0';
	assert_int_equal(symlinkat(target, w->in, "long"), 0);
	auto_free char *m = manifest_of_in(w, TREE_SOURCE);
	assert_non_null(strstr(m, "\n./new\\012line type"));
	assert_non_null(strstr(m, "\n./\\377\\376 type"));
	assert_non_null(strstr(m, "\n./-rf\\040\\052 type"));
	assert_non_null(strstr(m, target));
	assert_non_null(strstr(m, name));
}

/** Makes a chain of directories with names of 200 bytes, so that the path has @p len bytes. */
static void deep_path(struct world *w, size_t len)
{
	char name[201];
	auto_fd at = dup(w->in);

	while (len > 0) {
		size_t n = len > 401 ? 200 : len > 200 ? len / 2 : len;

		memset(name, 'p', n);
		name[n] = '\0';
		len -= n;
		if (len == 0) {
			put(at, name, "", 0644);
			break;
		}
		make_dir(at, name, 0755);
		int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(at);
		at = next;
		len--;
	}
}

static void a_path_may_have_4096_bytes(void **state)
{
	struct world *w = *state;

	deep_path(w, 4096);
	auto_free char *m = manifest_of_in(w, TREE_SOURCE);
	const char *last = strstr(m, " type=file");
	assert_non_null(last);
	while (*--last != '\n')
		;
	assert_int_equal(strcspn(last + 3, " "), 4096);
}

static void a_longer_path_is_refused(void **state)
{
	struct world *w = *state;

	deep_path(w, 4097);
	assert_snapshot_fails(w, &plain, "longer than 4096");
}

static void depth_has_an_end(void **state)
{
	struct world *w = *state;

	shell(w, "cd in; i=0; while test $i -lt 256; do mkdir d; cd d; i=$((i+1)); done");
	free(manifest_of_in(w, TREE_SOURCE));
	shell(w, "cd in; i=0; while test $i -lt 256; do cd d; i=$((i+1)); done; touch f");
	assert_snapshot_fails(w, &plain, "deeper than 256");
}

static void make_odd(struct world *w)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	auto_fd s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(mkfifoat(w->in, "fifo", 0644), 0);
	snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/sock", w->in);
	assert_int_equal(bind(s, (struct sockaddr *)&addr, sizeof addr), 0);
	/* Not everybody may make one, and not every root. */
	(void)!mknodat(w->in, "null", S_IFCHR | 0644, makedev(1, 3));
}

static void odd_things_are_refused_or_left_out(void **state)
{
	struct world *w = *state;
	const struct snapshot_options skip = { .form = TREE_SOURCE, .skip_odd = true };
	auto_tree_builder b = NULL;
	auto_buf m = {0};
	struct snapshot_stats st;

	make_odd(w);
	assert_snapshot_fails(w, &plain, "neither file, directory nor link");
	must(snapshot_with(w, &skip, &b, &st));
	assert_int_equal(st.odd, exists(w->in, "null") ? 3 : 2);
	must(tree_builder_manifest(b, &m, &w->err));
	assert_string_equal(m.data, "#mtree\n. type=dir mode=0755\n");
}

struct told {
	char text[512];
};

static void note_lost(void *arg, const char *path, mode_t mode)
{
	struct told *t = arg;
	size_t n = strlen(t->text);

	snprintf(t->text + n, sizeof t->text - n, "%s %o\n", path, (unsigned)mode);
}

/* A character device with number 0:0, which everybody may make, means a removal to an overlay; it is told of like any other. */
static void what_is_lost_is_told(void **state)
{
	struct world *w = *state;
	struct told told = { "" };
	const struct snapshot_options opt = { .form = TREE_SOURCE, .skip_odd = true, .lost = note_lost, .lost_arg = &told };
	static const struct {
		const char *path;
		unsigned mode;
	} want[] = { { "d/set", 0104755 }, { "d/group", 0102640 }, { "fifo", S_IFIFO }, { "sock", S_IFSOCK }, { "d/gone", S_IFCHR } };
	auto_tree_builder b = NULL;
	struct snapshot_stats st;
	size_t len = 0;

	make_odd(w);
	(void)unlinkat(w->in, "null", 0);
	make_dir(w->in, "d", 02755);
	put(w->in, "d/set", "x", 04755);
	put(w->in, "d/group", "x", 02640);
	put(w->in, "d/usual", "x", 0755);
	assert_int_equal(mknodat(w->in, "d/gone", S_IFCHR | 0600, makedev(0, 0)), 0);
	must(snapshot_with(w, &opt, &b, &st));
	assert_int_equal(st.odd, 3);
	assert_int_equal(st.setid, 2);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		char line[64];

		len += (size_t)snprintf(line, sizeof line, "%s %o\n", want[i].path, want[i].mode);
		if (strstr(told.text, line) == NULL)
			fail_msg("no '%s' in '%s'", line, told.text);
	}
	assert_int_equal(strlen(told.text), len);
}

/** As somebody who may not read everything. */
static int read_as_user(struct world *w)
{
	const struct snapshot_options opt = { .form = TREE_SOURCE, .digest_only = true };
	struct snapshot_stats st;
	struct tree_builder *b;

	if (geteuid() == 0)
		CHECK(setresgid(65530, 65530, 65530) == 0 && setresuid(65530, 65530, 65530) == 0);
	CHECK(tree_builder_new(&b, &w->err) == 0);
	CHECK(store_snapshot(NULL, w->in, &opt, b, &st, &w->err) == -1);
	tree_builder_free(b);
	return w->err.kind == ERR_INPUT && w->err.sys == EACCES && strstr(w->err.msg, "'d/secret'") != NULL &&
	       strstr(w->err.msg, "Permission denied") != NULL ? 0 : 1;
}

static void what_may_not_be_read_is_named(void **state)
{
	struct world *w = *state;

	make_dir(w->in, "d", 0755);
	put(w->in, "d/secret", "x", 0000);
	in_child(read_as_user, w);
	assert_int_equal(unlinkat(w->in, "d/secret", 0), 0);
	make_dir(w->in, "d/secret", 0000);
	in_child(read_as_user, w);
}

/* ---- what changes meanwhile ------------------------------------------ */

struct meddler {
	struct world *w;
	int times;   /**< how often to change something */
	int calls;
	void (*change)(struct meddler *m);
};

static void meddle(void *arg, const char *path, void *head, size_t n)
{
	struct meddler *m = arg;

	(void)path;
	(void)head;
	(void)n;
	if (m->calls++ < m->times)
		m->change(m);
}

static void append(struct meddler *m)
{
	auto_fd fd = openat(m->w->in, "f", O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_int_equal(write(fd, "+", 1), 1);
}

static void rewrite(struct meddler *m)
{
	/* Times are kept as coarse as a clock tick. */
	usleep(30000);
	auto_fd fd = openat(m->w->in, "f", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "ABC", 3, 0), 3);
}

static void shorten(struct meddler *m)
{
	auto_fd fd = openat(m->w->in, "f", O_WRONLY | O_CLOEXEC);

	assert_int_equal(ftruncate(fd, 3 - m->calls), 0);
}

static void a_file_that_changes_is_read_again_then_refused(void **state)
{
	struct world *w = *state;
	void (*const changes[])(struct meddler *) = { append, rewrite, shorten };
	static const char *const once[] = { "abc+", "ABC", "ab" };

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct meddler m = { .w = w, .times = 1, .change = changes[i] };
		const struct snapshot_options opt = { .form = TREE_SOURCE, .amend = meddle, .amend_arg = &m };
		auto_tree_builder b = NULL;
		auto_buf out = {0};
		struct digest want;
		char hex[DIGEST_HEX_SIZE];

		put(w->in, "f", "abc", 0644);
		must(snapshot_with(w, &opt, &b, NULL));
		assert_int_equal(m.calls, 2);
		must(tree_builder_manifest(b, &out, &w->err));
		must(hash_bytes(once[i], strlen(once[i]), &want, &w->err));
		assert_non_null(strstr(out.data, digest_hex(&want, hex)));

		put(w->in, "f", "abc", 0644);
		m.calls = 0;
		m.times = 100;
		assert_snapshot_fails(w, &opt, "'f': it changes while it is read");
		assert_int_equal(m.calls, 3);
	}
}

/** A filter that swaps "x" for something else between its being seen and its being opened. */
struct swapper {
	struct world *w;
	const char *script;
};

static bool swap(void *arg, const char *path, bool is_dir)
{
	const struct swapper *s = arg;

	(void)is_dir;
	if (strcmp(path, "x") == 0)
		shell(s->w, s->script);
	return false;
}

static void what_is_swapped_leads_nowhere(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *before, *swap;
	} cases[] = {
		{ "mkdir in/x", "rmdir in/x; ln -s / in/x" }, { "mkdir in/x", "rmdir in/x; touch in/x" },
		{ "mkdir in/x", "rmdir in/x" }, { "touch in/x", "rm in/x; ln -s /etc/passwd in/x" },
		{ "touch in/x", "rm in/x; mkfifo in/x" }, { "touch in/x", "rm in/x; mkdir in/x" },
		{ "touch in/x", "rm in/x" }, { "ln -s a in/x", "rm in/x; touch in/x" },
		{ "ln -s a in/x", "rm in/x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct swapper s = { w, cases[i].swap };
		const struct snapshot_filter filter = { .skip = swap, .arg = &s };
		const struct snapshot_options opt = { .form = TREE_SOURCE, .filter = &filter };

		shell(w, cases[i].before);
		assert_snapshot_fails(w, &opt, "'x': it changed while the tree was read");
		shell(w, "rm -rf in/x");
	}
}

static void files_of_proc_are_refused(void **state)
{
	struct world *w = *state;
	const struct snapshot_options opt = { .form = TREE_SOURCE, .digest_only = true, .skip_odd = true };
	struct snapshot_stats st;
	auto_tree_builder b = NULL;
	auto_fd proc = open("/proc/sys/kernel/random", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	must(tree_builder_new(&b, &w->err));
	assert_int_equal(store_snapshot(NULL, proc, &opt, b, &st, &w->err), -1);
	assert_error(ERR_INPUT, "/proc or /sys?");
}

/* ---- filter ----------------------------------------------------------- */

struct diary {
	struct buf text;
	struct world *w;
};

static bool note_skip(void *arg, const char *path, bool is_dir)
{
	struct diary *d = arg;

	buf_addf(&d->text, "?%s%s ", path, is_dir ? "/" : "");
	return strcmp(path, "a/skipped") == 0 || strcmp(path, "gone") == 0;
}

static int note_enter(void *arg, int dirfd, const char *path, struct err *err)
{
	struct diary *d = arg;
	struct stat st, want;

	assert_int_equal(fstat(dirfd, &st), 0);
	assert_int_equal(fstatat(d->w->in, path, &want, 0), 0);
	assert_int_equal(st.st_ino, want.st_ino);
	buf_addf(&d->text, "+%s ", path);
	return strcmp(path, "a/bad") == 0 ? err_set(err, ERR_INPUT, 0, "no entry to bad") : 0;
}

static void note_leave(void *arg)
{
	buf_adds(&((struct diary *)arg)->text, "- ");
}

static void a_filter_sees_the_walk(void **state)
{
	struct world *w = *state;
	struct diary d = { .w = w };
	const struct snapshot_filter filter = { note_skip, note_enter, note_leave, &d };
	const struct snapshot_options opt = { .form = TREE_SOURCE, .filter = &filter };
	auto_tree_builder b = NULL;
	auto_buf m = {0};

	make_dir(w->in, "a", 0755);
	make_dir(w->in, "a/skipped", 0755);
	put(w->in, "a/skipped/f", "", 0644);
	must(snapshot_with(w, &opt, &b, NULL));
	assert_string_equal(d.text.data, "+. ?a/ +a ?a/skipped/ - - ");
	must(tree_builder_manifest(b, &m, &w->err));
	assert_string_equal(m.data, "#mtree\n. type=dir mode=0755\n./a type=dir mode=0755\n");
	/* Each directory entered is left, also when it goes wrong. */
	buf_clear(&d.text);
	assert_int_equal(unlinkat(w->in, "a/skipped/f", 0), 0);
	assert_int_equal(renameat(w->in, "a/skipped", w->in, "a/bad"), 0);
	assert_snapshot_fails(w, &opt, "no entry to bad");
	assert_string_equal(d.text.data, "+. ?a/ +a ?a/bad/ +a/bad - - ");
	buf_free(&d.text);
}

static void a_filter_may_be_empty(void **state)
{
	struct world *w = *state;
	const struct snapshot_filter filter = {0};
	const struct snapshot_options opt = { .form = TREE_SOURCE, .filter = &filter };
	auto_tree_builder b = NULL;

	put(w->in, "f", "", 0644);
	must(snapshot_with(w, &opt, &b, NULL));
}

static void change_case(void *arg, const char *path, void *head, size_t n)
{
	(void)arg;
	if (n >= 3 && strcmp(path, "d/f") == 0)
		memcpy(head, "ABC", 3);
}

static void contents_may_be_amended(void **state)
{
	struct world *w = *state;
	const struct snapshot_options opt = { .form = TREE_SOURCE, .amend = change_case };
	auto_tree_builder b = NULL;
	struct digest d;
	char have[4] = "";

	make_dir(w->in, "d", 0755);
	put(w->in, "d/f", "abc", 0644);
	put(w->in, "d/empty", "", 0644);
	must(snapshot_with(w, &opt, &b, NULL));
	must(hash_bytes("ABC", 3, &d, &w->err));
	auto_fd fd = -1;
	must(store_open_object(w->store, &d, &fd, &w->err));
	assert_int_equal(read(fd, have, 3), 3);
	assert_string_equal(have, "ABC");
}

/* ---- much ------------------------------------------------------------- */

/** Moves "in" to memory where there is some to be had: disks are slow at what follows. */
static void in_memory(struct world *w, char path[64])
{
	snprintf(path, 64, "/dev/shm/gb-store.XXXXXX");
	if (mkdtemp(path) == NULL) {
		path[0] = '\0';
		return;
	}
	close(w->in);
	w->in = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->in >= 0);
}

static void drop_memory(struct world *w, const char *path)
{
	if (path[0] != '\0')
		must(io_remove_tree(AT_FDCWD, path, &w->err));
}

static void a_hundred_thousand_files_in_one_directory(void **state)
{
	struct world *w = *state;
	const struct snapshot_options opt = { .form = TREE_SOURCE, .digest_only = true };
	auto_tree_builder b = NULL;
	struct snapshot_stats st;
	char name[32], memory[64];

	in_memory(w, memory);
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof name, "%d", i);
		int fd = openat(w->in, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		assert_true(fd >= 0);
		close(fd);
	}
	must(snapshot_with(w, &opt, &b, &st));
	drop_memory(w, memory);
	assert_int_equal(st.files, 100000);
}

static void a_sparse_file_of_more_than_4_gib(void **state)
{
	struct world *w = *state;
	const struct snapshot_options opt = { .form = TREE_SOURCE, .digest_only = true };
	auto_tree_builder b = NULL;
	auto_buf m = {0};
	char memory[64];

	in_memory(w, memory);
	auto_fd fd = openat(w->in, "big", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(ftruncate(fd, (4ll << 30) + 3), 0);
	must(snapshot_with(w, &opt, &b, NULL));
	drop_memory(w, memory);
	must(tree_builder_manifest(b, &m, &w->err));
	/* head -c 4294967299 /dev/zero | sha256sum */
	assert_non_null(strstr(m.data, " size=4294967299 sha256=930fa067940ff8d9f427e3a116b7598503c70ce7380d66ff65f8de33d558f7f3\n"));
}

static int snapshot_world(struct world *w)
{
	struct ident id = same_ident();
	struct store *s;
	struct tree_builder *b;
	struct snapshot_stats st;
	struct digest d;
	char path[5000];

	snprintf(path, sizeof path, "%s/store", w->path);
	for (int i = 0; i < 5; i++) {
		CHECK(store_open(path, &id, &s, &w->err) == 0);
		CHECK(tree_builder_new(&b, &w->err) == 0);
		CHECK(store_snapshot(s, w->in, &plain, b, &st, &w->err) == 0);
		CHECK(store_put_tree(s, b, &d, &w->err) == 0);
		CHECK(store_set_name(s, "both", &d, &w->err) == 0);
		tree_builder_free(b);
		store_close(s);
	}
	return 0;
}

static void two_may_snapshot_the_same_tree_at_once(void **state)
{
	struct world *w = *state;
	pid_t pids[3];
	int status;

	shell(w, "cd in; for d in a b c; do mkdir $d; for f in 1 2 3 4 5 6 7 8 9; do echo $d$f >$d/$f; done; done; head -c 3000000 /dev/urandom >big");
	fflush(NULL);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(snapshot_world(w));
	}
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(entries(store_fd(w->store), "trees"), 1);
	assert_int_equal(entries(store_fd(w->store), "tmp"), 0);
	shell(w, "test $(find store/objects -type f | wc -l) = 28");
}

/* ---- golden ------------------------------------------------------------ */

/** A tree with one of each kind, the same on every machine. */
static void make_golden(struct world *w)
{
	make_dir(w->in, "usr", 0755);
	make_dir(w->in, "usr/bin", 0755);
	make_dir(w->in, "usr-local", 0775);
	make_dir(w->in, "tmp", 01777);
	put(w->in, "usr/bin/tool", "#!/bin/sh\necho tool\n", 04755);
	put(w->in, "usr/README", "read me\n", 0640);
	put(w->in, "usr/\xc3\xa9t\xc3\xa9", "summer\n", 0644);
	put(w->in, "usr-local/new\nline", "", 0444);
	assert_int_equal(symlinkat("usr/bin", w->in, "bin"), 0);
	assert_int_equal(symlinkat("../bin dir/\xff", w->in, "usr/odd"), 0);
	assert_int_equal(linkat(w->in, "usr/README", w->in, "usr/README.hard", 0), 0);
}

static void golden_trees_hold(void **state)
{
	struct world *w = *state;
	static const char *const names[] = { [TREE_SOURCE] = "source", [TREE_ROOTFS] = "rootfs" };
	auto_buf digests = {0};
	auto_buf want = {0};

	make_golden(w);
	for (int form = TREE_SOURCE; form <= TREE_ROOTFS; form++) {
		auto_free char *m = manifest_of_in(w, form);
		auto_buf golden = {0};
		char path[64], hex[DIGEST_STR_SIZE];
		struct digest d;

		snprintf(path, sizeof path, "tests/golden/tree_%s.mtree", names[form]);
		must(io_read_file(AT_FDCWD, path, 1 << 16, &golden, &w->err));
		assert_string_equal(m, golden.data);
		must(hash_bytes(m, strlen(m), &d, &w->err));
		buf_addf(&digests, "%s %s\n", names[form], digest_str(&d, hex));
	}
	must(io_read_file(AT_FDCWD, "tests/golden/tree_digests.txt", 1 << 16, &want, &w->err));
	assert_string_equal(digests.data, want.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(sources_have_two_modes_and_no_owner),
		test_in_world(rootfs_keeps_modes_but_setuid),
		test_in_world(rootfs_keeps_the_ids_of_others),
		test_in_world(contents_are_stored_and_counted),
		test_in_world(a_digest_alone_stores_nothing),
		test_in_world(any_name_will_do),
		test_in_world(a_path_may_have_4096_bytes),
		test_in_world(a_longer_path_is_refused),
		test_in_world(depth_has_an_end),
		test_in_world(odd_things_are_refused_or_left_out),
		test_in_world(what_is_lost_is_told),
		test_in_world(what_may_not_be_read_is_named),
		test_in_world(a_file_that_changes_is_read_again_then_refused),
		test_in_world(what_is_swapped_leads_nowhere),
		test_in_world(files_of_proc_are_refused),
		test_in_world(a_filter_sees_the_walk),
		test_in_world(a_filter_may_be_empty),
		test_in_world(contents_may_be_amended),
		test_in_world(a_hundred_thousand_files_in_one_directory),
		test_in_world(a_sparse_file_of_more_than_4_gib),
		test_in_world(two_may_snapshot_the_same_tree_at_once),
		test_in_world(golden_trees_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
