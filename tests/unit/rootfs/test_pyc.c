/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled Python files: which get the constant time, and which are left alone. */
#include "tests/unit/store/help.h"

#include "rootfs/internal.h"

/** 315532800, little-endian. */
#define EPOCH "\x00\xa6\xce\x12"

static const struct {
	const char *path;
	const char head[21];
	size_t n;
	bool changed;
} rows[] = {
	{ "a.pyc", "\xa7\r\r\n\0\0\0\0TIMESIZE", 16, true },
	{ "d/__pycache__/a.cpython-311.pyc", "\xa7\r\r\n\0\0\0\0TIMESIZEcode", 20, true },
	{ "a.pyc", "\xa7\r\r\n\1\0\0\0hashhash", 16, false },     /* checked by hash */
	{ "a.pyc", "\xa7\r\r\n\3\0\0\0hashhash", 16, false },
	{ "a.pyc", "\xa7\r\r\n\0\0\0\1TIMESIZE", 16, false },     /* flags that we do not know */
	{ "a.pyc", "\x03\xf3\r\nTIMEcodecode", 16, false },       /* Python 2 */
	{ "a.pyc", "\xa7\r\r\n\0\0\0\0TIMESIZ", 15, false },      /* too short */
	{ "a.pyc", "", 0, false },
	{ "a.pyc", "\xa7\r\n\n\0\0\0\0TIMESIZE", 16, false },     /* no magic number */
	{ "a.py", "\xa7\r\r\n\0\0\0\0TIMESIZE", 16, false },
	{ "apyc", "\xa7\r\r\n\0\0\0\0TIMESIZE", 16, false },
	{ "a.pyc.bak", "\xa7\r\r\n\0\0\0\0TIMESIZE", 16, false },
};

static void only_files_that_carry_a_time_are_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char head[sizeof rows[i].head], want[sizeof rows[i].head];

		memcpy(head, rows[i].head, sizeof head);
		memcpy(want, rows[i].head, sizeof want);
		if (rows[i].changed)
			memcpy(want + 8, EPOCH, 4);
		pyc_amend(rows[i].path, head, rows[i].n);
		if (memcmp(head, want, sizeof head) != 0)
			fail_msg("row %zu", i);
	}
}

/** What Python itself writes, and takes for good afterwards, where there is one. */
static void directory_and_archive_agree(void **state)
{
	struct world *w = *state;
	struct digest a, b;
	char path[5000];
	static const char head[] = "\xa7\r\r\n\0\0\0\0TIME\3\0\0\0code";

	make_dir(w->in, "__pycache__", 0755);
	put_bytes(w->in, "__pycache__/m.cpython-311.pyc", head, sizeof head - 1, 0644);
	put(w->in, "short.pyc", "x", 0644);
	put(w->in, "empty.pyc", "", 0644);
	shell(w, "tar --owner=0 --group=0 -C in -cf a.tar .");
	snprintf(path, sizeof path, "%s/in", w->path);
	must(rootfs_import(w->store, "a", path, &a, &w->err));
	snprintf(path, sizeof path, "%s/a.tar", w->path);
	must(rootfs_import(w->store, "b", path, &b, &w->err));
	assert_true(digest_eq(&a, &b));
	shell(w, "p=$(echo store/rootfs/*/root); cmp -n 8 in/__pycache__/m.cpython-311.pyc $p/__pycache__/m.cpython-311.pyc\n"
		 "test \"$(tail -c +9 $p/__pycache__/m.cpython-311.pyc | head -c 4 | od -An -tx1)\" = ' 00 a6 ce 12'\n"
		 "test \"$(tail -c +13 $p/__pycache__/m.cpython-311.pyc | tail -c 4)\" = code");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_files_that_carry_a_time_are_changed),
		test_in_world(directory_and_archive_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
