/* SPDX-License-Identifier: Apache-2.0 */
/* Trees laid out: exactly, with their own inodes, verified, or not at all. */
#include "tests/unit/store/help.h"

#include <signal.h>
#include <sys/time.h>

#include "rootfs/rootfs.h"

#define ABC_SHA "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/** A tree of each kind in the store, with modes that lock out, and a file of more than one piece. */
static struct digest some_tree(struct world *w)
{
	auto_tree_builder b = NULL;
	auto_free char *big = calloc(1, 600000);
	struct digest d;
	struct tree_entry rows[] = {
		{ .path = ".", .type = TREE_DIR, .mode = 0751 },
		{ .path = "d", .type = TREE_DIR, .mode = 01777 },
		{ .path = "d/sub", .type = TREE_DIR, .mode = 0555 },
		{ .path = "d/sub/f", .type = TREE_FILE, .mode = 0444, .size = 3, .uid = 5, .gid = 6 },
		{ .path = "d-file", .type = TREE_FILE, .mode = 0755, .size = 600000 },
		{ .path = "locked", .type = TREE_DIR, .mode = 0000 },
		{ .path = "locked/in", .type = TREE_DIR, .mode = 0700 },
		{ .path = "locked/in/none", .type = TREE_FILE, .mode = 0000, .size = 0 },
		{ .path = "new\nline\xff", .type = TREE_FILE, .mode = 0640, .size = 3 },
		{ .path = "out", .type = TREE_LINK, .link = "/nowhere/\xff" },
		{ .path = "up", .type = TREE_LINK, .link = "../.." },
	};

	must(store_put_bytes(w->store, "abc", 3, &rows[3].digest, &w->err));
	rows[8].digest = rows[3].digest;
	must(store_put_bytes(w->store, big, 600000, &rows[4].digest, &w->err));
	must(store_put_bytes(w->store, "", 0, &rows[7].digest, &w->err));
	must(tree_builder_new(&b, &w->err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		must(tree_builder_add(b, &rows[i], &w->err));
	must(store_put_tree(w->store, b, &d, &w->err));
	return d;
}

/** Makes directory @p name and lays the tree out in it. */
static int lay_out(struct world *w, const struct digest *d, const char *name)
{
	char path[5000];

	if (!exists(w->fd, name))
		make_dir(w->fd, name, 0700);
	/* By its path: a test may have mounted something there. */
	snprintf(path, sizeof path, "%s/%s", w->path, name);
	auto_fd fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return rootfs_materialise(w->store, d, fd, &w->err);
}

static void a_tree_is_laid_out_exactly(void **state)
{
	struct world *w = *state;
	struct digest d = some_tree(w);
	mode_t old = umask(0077);

	must(lay_out(w, &d, "out"));
	umask(old);
	static const struct {
		const char *path;
		mode_t mode;
		off_t size;          /**< files and links */
		const char *link;
	} want[] = {
		{ ".", S_IFDIR | 0751 }, { "d", S_IFDIR | 01777 }, { "d/sub", S_IFDIR | 0555 }, { "d/sub/f", S_IFREG | 0444, 3 },
		{ "d-file", S_IFREG | 0755, 600000 }, { "locked", S_IFDIR }, { "new\nline\xff", S_IFREG | 0640, 3 },
		{ "out", S_IFLNK | 0777, 10, "/nowhere/\xff" }, { "up", S_IFLNK | 0777, 5, "../.." },
		/* By then "locked" is opened up. */
		{ "locked/in", S_IFDIR | 0700 }, { "locked/in/none", S_IFREG, 0 },
	};
	auto_fd out = openat(w->fd, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct stat st;
		char link[64] = "";

		if (strcmp(want[i].path, "locked/in") == 0)
			assert_int_equal(fchmodat(out, "locked", 0700, 0), 0);
		if (fstatat(out, want[i].path, &st, AT_SYMLINK_NOFOLLOW) < 0)
			fail_msg("no %s", want[i].path);
		if (st.st_mode != want[i].mode)
			fail_msg("%s has mode %o", want[i].path, st.st_mode);
		if (st.st_mtim.tv_sec != ROOTFS_MTIME || st.st_mtim.tv_nsec != 0)
			fail_msg("%s has another time", want[i].path);
		if (!S_ISDIR(st.st_mode))
			assert_int_equal(st.st_size, want[i].size);
		if (want[i].link != NULL) {
			assert_true(readlinkat(out, want[i].path, link, sizeof link - 1) > 0);
			assert_string_equal(link, want[i].link);
		}
	}
	assert_int_equal(entries(w->fd, "out"), 6);
}

static void contents_are_there_on_inodes_of_their_own(void **state)
{
	struct world *w = *state;
	struct digest d = some_tree(w);

	must(lay_out(w, &d, "a"));
	must(lay_out(w, &d, "b"));
	shell(w, "test \"$(cat a/d/sub/f)\" = abc; cmp -n 600000 a/d-file /dev/zero; test $(stat -c %s a/d-file) = 600000\n"
		 /* Zeros stay holes. */
		 "test $(stat -c %b a/d-file) -lt 200\n"
		 "test $(stat -c %i a/d/sub/f) != $(stat -c %i b/d/sub/f)\n"
		 "test $(stat -c %i a/d/sub/f) != $(stat -c %i store/objects/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad)\n"
		 "test $(stat -c %u a/d/sub/f) = $(id -u)");
}

static void a_tree_laid_out_is_the_tree(void **state)
{
	struct world *w = *state;
	const struct snapshot_options opt = { .form = TREE_SOURCE };
	struct snapshot_stats st;
	auto_tree_builder b = NULL;
	auto_tree_builder c = NULL;
	struct digest first, again;

	shell(w, "cd in; mkdir -p a/b/c a-b z; echo x >a/b/c/x; echo y >a-b/y; echo z >a.z; chmod 755 a.z; ln -s a z/link; touch 'with space' a/e");
	must(snapshot_with(w, &opt, &b, NULL));
	must(store_put_tree(w->store, b, &first, &w->err));
	must(lay_out(w, &first, "copy"));
	must(tree_builder_new(&c, &w->err));
	auto_fd fd = openat(w->fd, "copy", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(store_snapshot(w->store, fd, &opt, c, &st, &w->err));
	must(store_put_tree(w->store, c, &again, &w->err));
	assert_true(digest_eq(&first, &again));
}

/** Deeper than directories are held open, with something to do on the way down and up again; and laid out, it is as it should be. */
static void a_deep_tree_is_laid_out(void **state)
{
	struct world *w = *state;
	auto_tree_builder b = NULL;
	auto_buf dir = {0}, path = {0};
	struct digest abc, d;
	static const char *const files[] = { "/f", "/n-f", "/z" };

	must(store_put_bytes(w->store, "abc", 3, &abc, &w->err));
	must(tree_builder_new(&b, &w->err));
	for (int depth = 0; depth < 100; depth++) {
		buf_adds(&dir, depth == 0 ? "n" : "/n");
		must(tree_builder_add(b, &(struct tree_entry){ .path = dir.data, .type = TREE_DIR, .mode = 0755 }, &w->err));
		for (size_t i = 0; i < ARRAY_LEN(files); i++) {
			buf_clear(&path);
			buf_addf(&path, "%s%s", dir.data, files[i]);
			must(tree_builder_add(b, &(struct tree_entry){ .path = path.data, .type = TREE_FILE, .mode = 0644, .size = 3, .digest = abc },
					      &w->err));
		}
	}
	must(store_put_tree(w->store, b, &d, &w->err));
	for (int i = 0; i < 2; i++) {
		auto_free char *root = NULL;

		must(rootfs_ensure_checked(w->store, &d, &root, &w->err));
	}
	shell(w, "test $(find store/rootfs/*/root -type f | wc -l) = 300; test $(find store/rootfs/*/root -type f -exec cat {} + | wc -c) = 900");
}

static void a_directory_with_something_in_it_is_refused(void **state)
{
	struct world *w = *state;
	struct digest d = some_tree(w);

	make_dir(w->fd, "out", 0700);
	assert_int_equal(symlinkat("../in", w->fd, "out/d"), 0);
	assert_int_equal(lay_out(w, &d, "out"), -1);
	assert_error(ERR_INTERNAL, "lay out 'd': File exists");
	assert_int_equal(entries(w->fd, "in"), 0);
}

#define ABC "store/objects/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void damage(struct world *w, const char *script)
{
	shell(w, "chmod u+w store/objects/*/*");
	shell(w, script);
}

static void damaged_objects_are_found(void **state)
{
	struct world *w = *state;
	struct digest d = some_tree(w);
	static const char *const scripts[] = {
		"printf abd >" ABC, "printf ab >" ABC, "printf abcd >" ABC,
		": >" ABC,
	};

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		damage(w, scripts[i]);
		assert_int_equal(lay_out(w, &d, "out"), -1);
		assert_error(ERR_INPUT, "object sha256:" ABC_SHA " in the store is damaged (objects/ba/7816bf8f");
		/* It is gone: a snapshot that does not read its file would take it for whole. */
		assert_false(exists(store_fd(w->store), ABC + sizeof "store"));
		shell(w, "rm -rf out");
		must(store_put_bytes(w->store, "abc", 3, &(struct digest){0}, &w->err));
	}
	damage(w, "rm " ABC);
	assert_int_equal(lay_out(w, &d, "out"), -1);
	assert_error(ERR_INPUT, "objects/ba/7816bf8f");
	/* What the message says helps. */
	must(store_put_bytes(w->store, "abc", 3, &(struct digest){0}, &w->err));
	shell(w, "rm -rf out");
	must(lay_out(w, &d, "out"));
	damage(w, "f=$(find store/objects -size +100k); printf x | dd of=$f bs=1 seek=599999 conv=notrunc status=none");
	assert_int_equal(lay_out(w, &d, "out2"), -1);
	assert_error(ERR_INPUT, "'d-file': object");
}

static void a_tree_that_is_not_here_is_said(void **state)
{
	struct world *w = *state;
	struct digest d = {{ 3 }};
	char *path = NULL;

	assert_int_equal(lay_out(w, &d, "out"), -1);
	assert_error(ERR_INPUT, "trees/0300");
	assert_int_equal(rootfs_ensure(w->store, &d, &path, &w->err), -1);
	assert_error(ERR_INPUT, "lay out the rootfs sha256:0300");
	assert_null(path);
	assert_int_equal(entries(store_fd(w->store), "rootfs"), 0);
	assert_int_equal(entries(store_fd(w->store), "tmp"), 0);
}

static int full_tmpfs(struct world *w)
{
	struct digest d = some_tree(w);
	char path[5000];

	CHECK(own_mounts() == 0);
	snprintf(path, sizeof path, "%s/in", w->path);
	/* What follows the zeros takes three pages. */
	CHECK(mount("tmpfs", path, "tmpfs", 0, "size=8k,mode=0700") == 0);
	CHECK(lay_out(w, &d, "in") == -1);
	CHECK(w->err.kind == ERR_INTERNAL && w->err.sys == ENOSPC);
	CHECK(strstr(w->err.msg, "'d-file': the tmpfs is full after") != NULL && strstr(w->err.msg, "workdir: disk") != NULL);
	/* And of inodes. */
	CHECK(umount2(path, MNT_DETACH) == 0);
	CHECK(mount("tmpfs", path, "tmpfs", 0, "nr_inodes=3,mode=0700") == 0);
	CHECK(lay_out(w, &d, "in") == -1);
	CHECK(w->err.sys == ENOSPC && strstr(w->err.msg, "tmpfs is full") != NULL);
	return 0;
}

static void a_full_tmpfs_is_told_apart(void **state)
{
	in_child(full_tmpfs, *state);
}

/* ---- a rootfs in the store ---------------------------------------------- */

static void a_rootfs_is_laid_out_once(void **state)
{
	struct world *w = *state;
	struct digest d = some_tree(w);
	struct stat first, second;
	char hex[DIGEST_HEX_SIZE], want[100];
	auto_free char *a = NULL;
	auto_free char *b = NULL;

	must(rootfs_ensure(w->store, &d, &a, &w->err));
	snprintf(want, sizeof want, "rootfs/%s/root", digest_hex(&d, hex));
	assert_string_equal(a, want);
	assert_int_equal(fstatat(store_fd(w->store), a, &first, 0), 0);
	assert_int_equal(first.st_mode & 07777, 0751);
	assert_int_equal(first.st_mtime, ROOTFS_MTIME);
	/* No object is read again. */
	damage(w, "rm " ABC);
	must(rootfs_ensure(w->store, &d, &b, &w->err));
	assert_string_equal(b, want);
	assert_int_equal(fstatat(store_fd(w->store), b, &second, 0), 0);
	assert_int_equal(first.st_ino, second.st_ino);
	assert_int_equal(entries(store_fd(w->store), "rootfs"), 1);
}

static void a_rootfs_that_fails_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct digest d = some_tree(w);
	char *path = NULL;

	damage(w, "printf abd >" ABC);
	assert_int_equal(rootfs_ensure(w->store, &d, &path, &w->err), -1);
	assert_error(ERR_INPUT, "damaged");
	assert_null(path);
	assert_int_equal(entries(store_fd(w->store), "rootfs"), 0);
	/* What is left below tmp/ is the store's own staging. */
	assert_int_equal(entries(store_fd(w->store), "tmp"), 1);
}

static struct digest big_tree(struct world *w)
{
	const struct snapshot_options opt = { .form = TREE_ROOTFS };
	auto_tree_builder b = NULL;
	struct digest d;

	shell(w, "cd in; for d in 0 1 2 3 4 5 6 7 8 9; do mkdir $d; for f in 0 1 2 3 4 5 6 7 8 9; do echo $d$f >$d/$f; done; done");
	must(snapshot_with(w, &opt, &b, NULL));
	must(store_put_tree(w->store, b, &d, &w->err));
	return d;
}

static int ensure_in_child(struct world *w, const struct digest *d)
{
	struct ident id = same_ident();
	struct store *s;
	char path[5000], *root = NULL;
	struct stat st;

	snprintf(path, sizeof path, "%s/store", w->path);
	CHECK(store_open(path, &id, &s, &w->err) == 0);
	CHECK(rootfs_ensure(s, d, &root, &w->err) == 0);
	CHECK(fstatat(store_fd(s), root, &st, 0) == 0);
	free(root);
	store_close(s);
	return 0;
}

static void many_may_lay_out_the_same_at_once(void **state)
{
	struct world *w = *state;
	struct digest d = big_tree(w);
	pid_t pids[4];
	int status;

	fflush(NULL);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(ensure_in_child(w, &d));
	}
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(entries(store_fd(w->store), "rootfs"), 1);
	shell(w, "diff -r in store/rootfs/*/root");
}

/** Killed at any moment, a rootfs is there whole or not at all, and the next run clears up. */
static void kills_leave_no_half_rootfs(void **state)
{
	struct world *w = *state;
	struct digest d = big_tree(w);
	int killed = 0;

	for (useconds_t delay = 0; delay < 40000; delay += 1000) {
		int status;

		shell(w, "chmod -R u+w store/rootfs; rm -rf store/rootfs/*");
		fflush(NULL);
		pid_t pid = fork();
		if (pid == 0)
			_exit(ensure_in_child(w, &d));
		usleep(delay);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		killed += WIFSIGNALED(status);
		if (exists(store_fd(w->store), "rootfs") && entries(store_fd(w->store), "rootfs") == 1)
			shell(w, "diff -r in store/rootfs/*/root");
		store_close(w->store);
		world_open(w);
		assert_int_equal(entries(store_fd(w->store), "tmp"), 0);
	}
	assert_true(killed > 0);
	assert_int_equal(ensure_in_child(w, &d), 0);
	shell(w, "diff -r in store/rootfs/*/root");
}

/* ---- a rootfs that was changed ------------------------------------------ */

/** A tree that its owner may read everywhere, with "in" as its model. */
static struct digest readable_tree(struct world *w)
{
	const struct snapshot_options opt = { .form = TREE_ROOTFS };
	auto_tree_builder b = NULL;
	struct digest d;

	shell(w, "cd in; mkdir -p etc usr/bin usr/lib/a-b usr/lib/a/c; echo conf >etc/conf; echo tool >usr/bin/tool; chmod 755 usr/bin/tool\n"
		 "ln -s usr/bin bin; echo x >usr/lib/a/c/x; mkdir -m 555 empty");
	must(snapshot_with(w, &opt, &b, NULL));
	must(store_put_tree(w->store, b, &d, &w->err));
	return d;
}

static ino_t inode_of_root(struct world *w, const struct digest *d)
{
	char path[100], hex[DIGEST_HEX_SIZE];
	struct stat st;

	snprintf(path, sizeof path, "rootfs/%s/root", digest_hex(d, hex));
	assert_int_equal(fstatat(store_fd(w->store), path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_ino;
}

static void ensure_checked(struct world *w, const struct digest *d)
{
	auto_free char *path = NULL;

	must(rootfs_ensure_checked(w->store, d, &path, &w->err));
	assert_true(exists(store_fd(w->store), path));
}

static void a_sound_rootfs_is_kept(void **state)
{
	struct world *w = *state;
	struct digest d = readable_tree(w);

	ensure_checked(w, &d);
	ino_t first = inode_of_root(w, &d);
	/* No object is read again. */
	shell(w, "rm -rf store/objects; mkdir store/objects");
	ensure_checked(w, &d);
	assert_int_equal(inode_of_root(w, &d), first);
}

#define PLAIN(path) "touch -h -d @315532800 " path

static void a_changed_rootfs_is_laid_out_afresh(void **state)
{
	struct world *w = *state;
	struct digest d = readable_tree(w);
	static const char *const scripts[] = {
		"echo evil >etc/evil; " PLAIN("etc"),
		"chmod 755 empty; echo evil >empty/evil; chmod 555 empty; " PLAIN("empty/evil empty"),
		"mkdir -p usr/new/dir; " PLAIN("usr/new/dir usr/new usr"),
		"rm etc/conf; " PLAIN("etc"),
		"rm etc/conf; echo conf >etc/fonc; " PLAIN("etc/fonc etc"),
		"echo evil >etc/conf",
		"echo longer >etc/conf; " PLAIN("etc/conf"),
		"chmod 777 etc/conf", "chmod 700 usr", "chmod 4755 usr/bin/tool", "chmod 0 usr/lib",
		"rm bin; ln -s usr/lib bin; " PLAIN("bin ."),
		"rm bin; ln -s usr/libx bin; " PLAIN("bin ."),
		"rm bin; mkdir bin; " PLAIN("bin ."),
		"rm etc/conf; mkfifo -m 644 etc/conf; " PLAIN("etc/conf etc"),
		"ln etc/conf ../../../../other",
		"mv usr/lib usr/lib2; ln -s lib2 usr/lib; " PLAIN("usr/lib usr"),
		"touch .",
		"cd ..; mv root other; ln -s other root",
		"cd ../..; h=$(ls); mv $h ../../elsewhere; ln -s ../../elsewhere $h",
	};

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		auto_buf script = {0};

		ensure_checked(w, &d);
		buf_addf(&script, "cd store/rootfs/*/root; %s", scripts[i]);
		must(buf_check(&script, "script", &w->err));
		shell(w, script.data);
		ensure_checked(w, &d);
		shell(w, "rm -rf other elsewhere; test -d store/rootfs/*/root; test ! -L store/rootfs/*; test ! -L store/rootfs/*/root; diff -r --no-dereference in store/rootfs/*/root\n"
			 "test $(cd store/rootfs/*/root && stat -c %a usr/bin/tool) = 755");
		ino_t healed = inode_of_root(w, &d);
		ensure_checked(w, &d);
		if (inode_of_root(w, &d) != healed)
			fail_msg("not healed by one call: %s", scripts[i]);
	}
	assert_int_equal(entries(store_fd(w->store), "rootfs"), 1);
	assert_int_equal(entries(store_fd(w->store), "tmp"), 1);
}

static void a_changed_rootfs_that_cannot_be_healed_is_refused(void **state)
{
	struct world *w = *state;
	struct digest d = readable_tree(w);
	char *path = NULL;

	ensure_checked(w, &d);
	shell(w, "rm -rf store/objects/*; cd store/rootfs/*/root; echo evil >etc/conf");
	assert_int_equal(rootfs_ensure_checked(w->store, &d, &path, &w->err), -1);
	assert_error(ERR_INPUT, "'etc/conf' is not as it was laid out: it was written to; to lay it out afresh failed: ");
	assert_null(path);
}

static int heal_in_child(struct world *w, const struct digest *d)
{
	struct ident id = same_ident();
	struct store *s;
	char path[5000], *root = NULL;

	snprintf(path, sizeof path, "%s/store", w->path);
	CHECK(store_open(path, &id, &s, &w->err) == 0);
	CHECK(rootfs_ensure_checked(s, d, &root, &w->err) == 0);
	/* What one was given, no other takes away. */
	auto_fd fd = openat(store_fd(s), root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd >= 0);
	usleep(200000);
	CHECK(exists(fd, "usr/lib/a/c/x"));
	free(root);
	store_close(s);
	return 0;
}

static void many_may_heal_the_same_at_once(void **state)
{
	struct world *w = *state;
	struct digest d = readable_tree(w);
	pid_t pids[4];
	int status;

	ensure_checked(w, &d);
	shell(w, "cd store/rootfs/*/root; touch etc/conf");
	fflush(NULL);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(heal_in_child(w, &d));
	}
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	shell(w, "diff -r --no-dereference in store/rootfs/*/root");
}

/** A directory that keeps its owner out: root sees through it, others say so. */
static void a_closed_directory_is_checked_or_refused(void **state)
{
	struct world *w = *state;
	struct digest d = some_tree(w);
	char *path = NULL;

	ensure_checked(w, &d);
	if (geteuid() == 0) {
		shell(w, "cd store/rootfs/*/root; cd locked; echo evil >evil; touch -d @315532800 .");
		ensure_checked(w, &d);
		shell(w, "cd store/rootfs/*/root; test ! -e locked/evil");
		return;
	}
	assert_int_equal(rootfs_ensure_checked(w->store, &d, &path, &w->err), -1);
	assert_error(ERR_HOST, "'locked': a directory's mode keeps its owner out");
	assert_null(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(a_tree_is_laid_out_exactly),
		test_in_world(contents_are_there_on_inodes_of_their_own),
		test_in_world(a_tree_laid_out_is_the_tree),
		test_in_world(a_deep_tree_is_laid_out),
		test_in_world(a_directory_with_something_in_it_is_refused),
		test_in_world(damaged_objects_are_found),
		test_in_world(a_tree_that_is_not_here_is_said),
		test_in_world(a_full_tmpfs_is_told_apart),
		test_in_world(a_rootfs_is_laid_out_once),
		test_in_world(a_rootfs_that_fails_leaves_nothing),
		test_in_world(many_may_lay_out_the_same_at_once),
		test_in_world(kills_leave_no_half_rootfs),
		test_in_world(a_sound_rootfs_is_kept),
		test_in_world(a_changed_rootfs_is_laid_out_afresh),
		test_in_world(a_changed_rootfs_that_cannot_be_healed_is_refused),
		test_in_world(many_may_heal_the_same_at_once),
		test_in_world(a_closed_directory_is_checked_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
