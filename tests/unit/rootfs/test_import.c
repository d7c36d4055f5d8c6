/* SPDX-License-Identifier: Apache-2.0 */
/* Importing and naming a rootfs; references to it. */
#include "tests/unit/store/help.h"

#include <sys/sysmacros.h>

#include "rootfs/rootfs.h"

static int import(struct world *w, const char *name, const char *what, struct digest *ret)
{
	char path[5000];

	snprintf(path, sizeof path, "%s/%s", w->path, what);
	return rootfs_import(w->store, name, path, ret, &w->err);
}

static void an_import_is_named_and_laid_out(void **state)
{
	struct world *w = *state;
	struct digest d, again, by_name;
	char path[128], hex[DIGEST_HEX_SIZE];

	shell(w, "mkdir -p in/usr/bin in/tmp; echo x >in/usr/bin/x; chmod 4755 in/usr/bin/x; chmod 1777 in/tmp; mkfifo in/fifo");
	must(import(w, "deb", "in", &d));
	snprintf(path, sizeof path, "rootfs/%s/root/usr/bin/x", digest_hex(&d, hex));
	struct stat st;
	assert_int_equal(fstatat(store_fd(w->store), path, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	must(store_get_name(w->store, "deb", &by_name, &w->err));
	assert_true(digest_eq(&d, &by_name));
	auto_free char *m = stored_manifest(w, &d);
	assert_null(strstr(m, "fifo"));
	must(import(w, "other-name", "in", &again));
	assert_true(digest_eq(&d, &again));
}

#define LIST                                                                                                    \
	"list() (cd store/rootfs/*/root; find . -mindepth 1 -printf '%p %y %m %s %n %T@ %l\\n' | LC_ALL=C sort; " \
	"find . -type f -exec sha256sum {} + | LC_ALL=C sort); "

/** A directory is laid out while it is read, a tree of the store afterwards: nobody sees which it was. */
static void both_ways_lay_out_the_same(void **state)
{
	struct world *w = *state;
	struct digest d;
	auto_free char *root = NULL;

	shell(w, "cd in; mkdir -p usr/bin usr/lib var/tmp secret; head -c 700000 /dev/urandom >usr/lib/big; truncate -s 900000 usr/lib/hole;"
		 "echo x >usr/bin/x; cp usr/bin/x usr/lib/x; : >usr/lib/empty; ln -s ../bin/x usr/lib/l; ln usr/bin/x usr/bin/y; mkfifo var/fifo;"
		 "printf 'import a' >m.py; printf '\\247\\r\\r\\n\\0\\0\\0\\0mtimsize' >m.pyc; chmod 1777 var/tmp; chmod 700 secret; chmod 6711 usr/bin/x; chmod 400 m.py");
	must(import(w, "deb", "in", &d));
	must(rootfs_ensure_checked(w->store, &d, &root, &w->err));
	shell(w, LIST
		 "list >along; for f in $(sed -n 's/^\\([0-9a-f]\\{64\\}\\)  .*/\\1/p' along); do [ -f store/objects/$(echo $f | sed 's,^..,&/,') ]; done;"
		 "[ $(wc -l <along) -gt 20 ]; mv store/rootfs/* first");
	free(root);
	root = NULL;
	must(rootfs_ensure(w->store, &d, &root, &w->err));
	shell(w, LIST
		 "list >after; diff along after; rm -rf first");
}

/** Under a name that is known, and under one that is not where the same tree is there already. */
static void what_is_laid_out_already_stays(void **state)
{
	struct world *w = *state;
	struct digest a, b;

	shell(w, "echo 1 >in/f");
	must(import(w, "deb", "in", &a));
	shell(w, "(cd store/rootfs/*/root && stat -c %i f) >inode");
	must(import(w, "deb", "in", &b));
	must(import(w, "other", "in", &b));
	assert_true(digest_eq(&a, &b));
	shell(w, "[ $(cd store/rootfs/*/root && stat -c %i f) = $(cat inode) ]; echo 2 >in/f");
	must(import(w, "deb", "in", &b));
	assert_false(digest_eq(&a, &b));
	assert_int_equal(entries(store_fd(w->store), "rootfs"), 2);
}

static void what_cannot_be_imported_is_refused(void **state)
{
	struct world *w = *state;
	struct digest d;

	assert_int_equal(import(w, "no/name", "in", &d), -1);
	assert_error(ERR_USAGE, "cannot be the name of a rootfs");
	assert_int_equal(import(w, "x", "nowhere", &d), -1);
	assert_error(ERR_INPUT, "nowhere': open: No such file");
	assert_int_equal(rootfs_import(w->store, "x", "/", &d, &w->err), -1);
	assert_error(ERR_USAGE, "running system");
	assert_int_equal(rootfs_import(w->store, "x", "/dev/null", &d, &w->err), -1);
	assert_error(ERR_INPUT, "neither a directory nor an archive");
	assert_int_equal(entries(store_fd(w->store), "names"), 0);
}

static void references_resolve(void **state)
{
	struct world *w = *state;
	struct digest d, other, got;
	char ref[300], digest[DIGEST_STR_SIZE];
	bool pinned;

	must(import(w, "deb", "in", &d));
	put(w->in, "f", "", 0644);
	must(import(w, "new", "in", &other));
	digest_str(&d, digest);

	must(rootfs_resolve(w->store, "deb", &got, &pinned, &w->err));
	assert_true(digest_eq(&got, &d) && !pinned);
	must(rootfs_resolve(w->store, digest, &got, &pinned, &w->err));
	assert_true(digest_eq(&got, &d) && pinned);
	snprintf(ref, sizeof ref, "deb@%s", digest);
	must(rootfs_resolve(w->store, ref, &got, &pinned, &w->err));
	assert_true(digest_eq(&got, &d) && pinned);
	/* The digest decides, whatever the name means here, or whether it does. */
	snprintf(ref, sizeof ref, "new@%s", digest);
	must(rootfs_resolve(w->store, ref, &got, NULL, &w->err));
	assert_true(digest_eq(&got, &d));
	snprintf(ref, sizeof ref, "unheard-of@%s", digest);
	must(rootfs_resolve(w->store, ref, &got, NULL, &w->err));
}

static void references_that_lead_nowhere_are_said(void **state)
{
	struct world *w = *state;
	struct digest d, got = {{ 9 }};
	bool pinned = true;
	static const char nil[] = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
	char ref[300];
	static const char *const malformed[] = {
		"", "@", "a@", "@sha256:00", "a@b", "a@md5:00", "a/b", "sha256:", "sha256:00", "../x", "oci:dir@sha256:00",
		"sha512:0000000000000000000000000000000000000000000000000000000000000000",
		"sha256:000000000000000000000000000000000000000000000000000000000000000G",
		"a@sha256:00000000000000000000000000000000000000000000000000000000000000000",
	};

	must(import(w, "deb", "in", &d));
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
		assert_int_equal(rootfs_resolve(w->store, malformed[i], &got, &pinned, &w->err), -1);
		assert_error(ERR_USAGE, "rootfs reference");
	}
	assert_int_equal(rootfs_resolve(w->store, "dbe", &got, &pinned, &w->err), -1);
	assert_error(ERR_INPUT, "did you mean 'deb'");
	assert_int_equal(rootfs_resolve(w->store, nil, &got, &pinned, &w->err), -1);
	assert_error(ERR_INPUT, "not in the store");
	snprintf(ref, sizeof ref, "deb@%s", nil);
	assert_int_equal(rootfs_resolve(w->store, ref, &got, &pinned, &w->err), -1);
	assert_error(ERR_INPUT, "'deb' is sha256:");
	snprintf(ref, sizeof ref, "what@%s", nil);
	assert_int_equal(rootfs_resolve(w->store, ref, &got, &pinned, &w->err), -1);
	assert_error(ERR_INPUT, "rootfs import");
	assert_int_equal(got.b[0], 9);
	assert_true(pinned);
}

/* ---- real root ------------------------------------------------------- */

/** Imports what only root may read, with the owners of a distribution. */
static int import_as_root(struct world *w)
{
	struct ident id;
	struct store *s;
	struct digest from_dir, from_tar, from_user;
	char store[5000], in[5000], tar[5000], own[5000];
	struct stat st;
	auto_buf m = {0};

	shell(w, "cd in; mkdir -p etc root home/u; echo secret >etc/shadow; chmod 640 etc/shadow; chgrp 42 etc/shadow; chmod 700 root\n"
		 "echo x >root/x; chown 1000:1000 home/u; mknod null c 1 3 || true; chmod 700 .; cd ..\n"
		 "tar --numeric-owner -C in -cf a.tar .; chmod 600 a.tar\n"
		 /* The same, unpacked by an ordinary user: what was root's is the user's. */
		 "mkdir own; cp -a in/etc in/root own; chown -R 65530:65530 own; chgrp 42 own/etc/shadow; mkdir -p own/home/u; chown 65530:65530 own own/home; chown 1000:1000 own/home/u");
	snprintf(store, sizeof store, "%s/of-root", w->path);
	snprintf(in, sizeof in, "%s/in", w->path);
	snprintf(tar, sizeof tar, "%s/a.tar", w->path);
	snprintf(own, sizeof own, "%s/own", w->path);
	CHECK(ident_detect(&id, &w->err) == 0 && id.real_root);
	CHECK(store_open(store, &id, &s, &w->err) == 0);
	int r = rootfs_import(s, "a", in, &from_dir, &w->err);
	if (r < 0)
		fprintf(stderr, "# %s\n", w->err.msg);
	CHECK(r == 0);
	CHECK(rootfs_import(s, "b", tar, &from_tar, &w->err) == 0);
	CHECK(digest_eq(&from_dir, &from_tar));
	CHECK(io_read_file(store_fd(s), "names/a", 1000, &m, &w->err) == 0);
	char path[200], hex[DIGEST_HEX_SIZE];
	snprintf(path, sizeof path, "trees/%s", digest_hex(&from_dir, hex));
	buf_clear(&m);
	CHECK(io_read_file(store_fd(s), path, 100000, &m, &w->err) == 0);
	CHECK(strstr(m.data, "./etc/shadow type=file mode=0640 gid=42 size=7") != NULL);
	CHECK(strstr(m.data, "./home/u type=dir mode=0755 uid=1000 gid=1000\n") != NULL);
	CHECK(strstr(m.data, "null") == NULL);
	/* All that is laid out is the step user's, and readable to it. */
	snprintf(path, sizeof path, "rootfs/%s/root/etc/shadow", hex);
	CHECK(fstatat(store_fd(s), path, &st, 0) == 0 && st.st_uid == IDENT_STEP_ID && (st.st_mode & 07777) == 0640);
	CHECK(faccessat(store_fd(s), path, R_OK, AT_EACCESS) == 0);
	/* Root's rights are away again. */
	CHECK(open(tar, O_RDONLY | O_CLOEXEC) == -1 && errno == EACCES);
	store_close(s);

	/* And as that user, for good. */
	CHECK(seteuid(0) == 0 && setresgid(65530, 65530, 65530) == 0 && setresuid(65530, 65530, 65530) == 0);
	CHECK(ident_detect(&id, &w->err) == 0 && !id.real_root);
	CHECK(rootfs_import(NULL, "no/name", own, &from_user, &w->err) == -1);
	snprintf(store, sizeof store, "%s/own/../own/store", w->path);
	snprintf(path, sizeof path, "/tmp/gb-store-user.XXXXXX");
	CHECK(mkdtemp(path) != NULL);
	CHECK(store_open(path, &id, &s, &w->err) == 0);
	r = rootfs_import(s, "c", own, &from_user, &w->err);
	if (r < 0)
		fprintf(stderr, "# %s\n", w->err.msg);
	store_close(s);
	CHECK(io_remove_tree(AT_FDCWD, path, &w->err) == 0);
	CHECK(r == 0 && digest_eq(&from_dir, &from_user));
	return 0;
}

static void root_user_and_archive_give_the_same(void **state)
{
	in_child(import_as_root, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(an_import_is_named_and_laid_out),
		test_in_world(both_ways_lay_out_the_same),
		test_in_world(what_is_laid_out_already_stays),
		test_in_world(what_cannot_be_imported_is_refused),
		test_in_world(references_resolve),
		test_in_world(references_that_lead_nowhere_are_said),
		/* Last: only root can make files of several owners. */
		test_in_world(root_user_and_archive_give_the_same),
	};
	size_t n = ARRAY_LEN(tests) - !is_real_root();

	return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
