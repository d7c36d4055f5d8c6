/* SPDX-License-Identifier: Apache-2.0 */
/* What confined readers of git say: sound rows are taken, and nothing else is; what they read of refs. */
#include "tests/unit/fetch/server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>

#include "fetch/git_read.h"

#define NAME "0123456789012345678901234567890123456789"
#define OTHER "abcdefabcdefabcdefabcdefabcdefabcdefabcd"

/** Rows in memory, to be received. */
struct said {
	int fd;
	struct answer rows;
	struct git_row row;
	struct err err;
};

static void say(struct said *s, const void *data, size_t n)
{
	assert_int_equal(write(s->fd, data, n), (ssize_t)n);
}

static void say_row(struct said *s, struct git_wire w, const char *path, const char *more, const char *content)
{
	w.path_len += (uint32_t)strlen(path);
	w.more_len += (uint32_t)strlen(more);
	say(s, &w, sizeof w);
	say(s, path, strlen(path));
	say(s, more, strlen(more));
	say(s, content, strlen(content));
}

static int setup(void **state)
{
	struct said *s = calloc(1, sizeof *s);

	assert_non_null(s);
	s->fd = memfd_create("rows", MFD_CLOEXEC);
	s->rows.whose = "the reader";
	s->rows.fd = s->fd;
	s->rows.cancel_fd = -1;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct said *s = *state;

	close(s->fd);
	free(s);
	return 0;
}

static int next(struct said *s)
{
	if (s->rows.n == 0)
		(void)lseek(s->fd, 0, SEEK_SET);
	return git_row_next(&s->rows, &s->row, &s->err);
}

static void sound_rows_are_taken(void **state)
{
	struct said *s = *state;
	const char *p;
	size_t n;

	say_row(s, (struct git_wire){ .kind = GIT_DIR }, "d", "", "");
	say_row(s, (struct git_wire){ .kind = GIT_PROGRAM, .size = 3 }, "d/f", "", "abc+");
	say_row(s, (struct git_wire){ .kind = GIT_LINK }, "l", "d/f", "");
	say_row(s, (struct git_wire){ .kind = GIT_SUBMODULE, .object = { NAME } }, "m", "", "");
	assert_int_equal(next(s), 1);
	assert_string_equal(s->row.path, "d");
	assert_int_equal(next(s), 1);
	assert_int_equal(s->row.size, 3);
	assert_int_equal(answer_some(&s->rows, 2, &p, &n, &s->err), 0);
	assert_memory_equal(p, "ab", 2);
	assert_int_equal(answer_some(&s->rows, 1, &p, &n, &s->err), 0);
	assert_int_equal(git_row_sound(&s->rows, &s->err), 0);
	assert_int_equal(next(s), 1);
	assert_string_equal(s->row.more, "d/f");
	assert_int_equal(next(s), 1);
	assert_string_equal(s->row.object.hex, NAME);
	assert_string_equal(s->row.more, "");
	assert_int_equal(next(s), 0);
	assert_false(s->rows.ended);
}

static void rows_that_make_no_sense_are_refused(void **state)
{
	static const struct {
		struct git_wire w;   /* lengths: beyond those of the strings */
		const char *path, *more;
	} rows[] = {
		{ { .kind = 5 }, "a", "" },
		{ { .kind = UINT32_MAX }, "a", "" },
		{ { .kind = GIT_DIR }, "", "" },
		{ { .kind = GIT_DIR, .path_len = TREE_PATH_MAX }, "a", "" },
		{ { .kind = GIT_DIR, .path_len = UINT32_MAX }, "", "" },
		{ { .kind = GIT_DIR, .size = 1 }, "a", "" },
		{ { .kind = GIT_DIR }, "a", "b" },
		{ { .kind = GIT_FILE, .size = GIT_BYTES_MAX + 1 }, "a", "" },
		{ { .kind = GIT_FILE }, "a", "b" },
		{ { .kind = GIT_LINK }, "a", "" },
		{ { .kind = GIT_LINK, .more_len = TREE_LINK_MAX }, "a", "b" },
		{ { .kind = GIT_SUBMODULE }, "a", "b" },
		{ { .kind = GIT_SUBMODULE, .object = { "../../x" } }, "a", "b" },
		{ { .kind = GIT_SUBMODULE, .object = { NAME }, .more_len = UINT32_MAX - 1 }, "a", "b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct said *s;

		setup((void **)&s);
		say_row(s, rows[i].w, rows[i].path, rows[i].more, "");
		if (next(s) != -1 || strstr(s->err.msg, "makes no sense") == NULL || s->rows.ended)
			fail_msg("row %zu is taken, or '%s'", i, s->err.msg);
		teardown((void **)&s);
	}
}

static void strings_with_nul_are_refused(void **state)
{
	struct said *s = *state;
	const struct git_wire w = { .kind = GIT_DIR, .path_len = 3 };

	say(s, &w, sizeof w);
	say(s, "a\0b", 3);
	assert_int_equal(next(s), -1);
	assert_non_null(strstr(s->err.msg, "makes no sense"));
}

/** Each beginning of a row is told as an end that came too early: its reader is to be asked. */
static void rows_that_end_early_are_told(void **state)
{
	struct git_wire w = { .kind = GIT_LINK, .path_len = 1, .more_len = 1 };
	char whole[sizeof w + 2];

	(void)state;
	memcpy(whole, &w, sizeof w);
	memcpy(whole + sizeof w, "ab", 2);
	for (size_t n = 1; n < sizeof whole; n++) {
		struct said *s;

		setup((void **)&s);
		say(s, whole, n);
		assert_int_equal(next(s), -1);
		assert_true(s->rows.ended);
		teardown((void **)&s);
	}
}

static void content_without_its_mark_is_refused(void **state)
{
	struct said *s = *state;
	const char *p;
	size_t n;

	say_row(s, (struct git_wire){ .kind = GIT_FILE, .size = 1 }, "a", "", "x-");
	assert_int_equal(next(s), 1);
	assert_int_equal(answer_some(&s->rows, 1, &p, &n, &s->err), 0);
	assert_int_equal(git_row_sound(&s->rows, &s->err), -1);
}

static void waiting_is_cancelled(void **state)
{
	int rows[2], cancel[2];
	struct err err = {0};
	struct git_row row;

	(void)state;
	assert_int_equal(pipe2(rows, O_CLOEXEC), 0);
	assert_int_equal(pipe2(cancel, O_CLOEXEC), 0);
	assert_int_equal(write(cancel[1], "x", 1), 1);
	static struct answer r;

	r = (struct answer){ .whose = "it", .fd = rows[0], .cancel_fd = cancel[0] };
	assert_int_equal(git_row_next(&r, &row, &err), -1);
	assert_int_equal(err.kind, ERR_INTERRUPTED);
	for (int i = 0; i < 2; i++) {
		close(rows[i]);
		close(cancel[i]);
	}
}

/* ---- refs ------------------------------------------------------------------------- */

static void packed_refs_are_read(void **state)
{
	static const char text[] =
		"# pack-refs with: peeled fully-peeled sorted \n" NAME " refs/heads/main\n" OTHER " refs/tags/v1.0.0\n^" NAME "\n"
		"0123 refs/tags/short\n" NAME "refs/tags/unparted\n" NAME " with\0nul\n" NAME " \n" NAME " refs/tags/last";
	static const char *const refs[] = { "refs/heads/main", "refs/tags/v1.0.0", "", "refs/tags/last" };
	int fd = memfd_create("packed-refs", MFD_CLOEXEC);
	struct git_name name;
	auto_buf all = {0};
	struct err err;
	const char *ref;
	size_t at = 0;

	(void)state;
	assert_int_equal(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
	(void)lseek(fd, 0, SEEK_SET);
	assert_int_equal(git_read_packed(fd, &all, &err), 0);
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
		assert_true(git_ref_next(&all, &at, &name, &ref));
		assert_string_equal(ref, refs[i]);
		assert_string_equal(name.hex, i == 1 ? OTHER : NAME);
	}
	assert_false(git_ref_next(&all, &at, &name, &ref));
	assert_int_equal(at, all.len);
}

static void remote_refs_are_looked_up(void **state)
{
	static char branch[] = "refs/heads/v1", tag[] = "refs/tags/v1", none[] = "refs/heads/none";
	char *const names[] = { NULL, branch, tag, none };
	struct git_name found[4];
	auto_buf answer = {0};
	struct err err;

	(void)state;
	assert_int_equal(git_read_remote(&answer, names, 4, found, &err), 0);
	assert_string_equal(found[1].hex, "");
	buf_adds(&answer, NAME "\trefs/heads/v1\n" NAME "\trefs/tags/v1\n" OTHER "\trefs/tags/v1^{}\nx\trefs/heads/none\n" NAME "\trefs/heads/none2");
	assert_int_equal(git_read_remote(&answer, names, 4, found, &err), 0);
	assert_string_equal(found[0].hex, "");
	assert_string_equal(found[1].hex, NAME);
	assert_string_equal(found[2].hex, OTHER);
	assert_string_equal(found[3].hex, "");
}

/** Records that make no sense are none, and nothing beyond them is read. */
static void records_of_refs_are_not_believed(void **state)
{
	const struct { struct git_ref r; const char *ref; } rows[] = {
		{ { { NAME }, 0 }, "" }, { { { NAME }, UINT32_MAX }, "x" }, { { { "no name" }, 2 }, "x" }, { { { NAME }, 4 }, "x\0y" }, { { { NAME }, 2 }, "xy" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct git_name name;
		auto_buf all = {0};
		const char *ref;
		size_t at = 0;

		buf_add(&all, &rows[i].r, sizeof rows[i].r);
		buf_add(&all, rows[i].ref, rows[i].r.ref_size < 8 ? rows[i].r.ref_size : 2);
		assert_false(git_ref_next(&all, &at, &name, &ref));
		assert_int_equal(at, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sound_rows_are_taken, setup, teardown),
		cmocka_unit_test(rows_that_make_no_sense_are_refused),
		cmocka_unit_test_setup_teardown(strings_with_nul_are_refused, setup, teardown),
		cmocka_unit_test(rows_that_end_early_are_told),
		cmocka_unit_test_setup_teardown(content_without_its_mark_is_refused, setup, teardown),
		cmocka_unit_test(waiting_is_cancelled),
		cmocka_unit_test(packed_refs_are_read),
		cmocka_unit_test(remote_refs_are_looked_up),
		cmocka_unit_test(records_of_refs_are_not_believed),
	};

	return cmocka_run_group_tests_name("git_wire", tests, NULL, NULL);
}
