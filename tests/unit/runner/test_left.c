/* SPDX-License-Identifier: Apache-2.0 */
/* What a step left: measured, judged by its limits, collected, and told of where it is not kept. */
#include "tests/unit/store/help.h"

#include <signal.h>
#include <sys/sysmacros.h>

#include "runner/harvest.h"
#include "runner/left.h"
#include "runner/limit.h"

static void sizes_are_those_that_collecting_would_make(void **state)
{
	struct world *w = *state;
	auto_left left = {0};

	shell(w, "cd in; mkdir -p d/e; truncate -s 1T d/e/big; printf abc >f; ln f d/f; ln -s abcd l; mkfifo p; ln -s .. d/up");
	must(left_add(&left, w->in, 1000, &w->err));
	assert_int_equal(left.bytes, (1ull << 40) + 3 + 3 + 4 + 2);
	assert_int_equal(left.entries, 8);
	assert_int_equal(left.largest, 1ull << 40);
	assert_string_equal(left.largest_path, "d/e/big");
	/* A second place counts on; a smaller file is not the largest. */
	make_dir(w->fd, "more", 0755);
	put(w->fd, "more/f", "12345", 0644);
	auto_fd more = openat(w->fd, "more", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(left_add(&left, more, 1000, &w->err));
	assert_int_equal(left.bytes, (1ull << 40) + 17);
	assert_int_equal(left.entries, 9);
	assert_string_equal(left.largest_path, "d/e/big");
}

static void counting_ends_at_the_limit(void **state)
{
	struct world *w = *state;
	auto_left left = {0};
	auto_left deep = {0};

	shell(w, "cd in; i=0; while test $i -lt 50; do mkdir d$i; : >d$i/f; i=$((i+1)); done");
	must(left_add(&left, w->in, 20, &w->err));
	assert_int_equal(left.entries, 21);
	/* Deeper than a tree goes: passed over, and refused by the walk that reads. */
	shell(w, "rm -r in/*; cd in; i=0; while test $i -lt 300; do mkdir d; cd d; i=$((i+1)); done; : >f");
	must(left_add(&deep, w->in, 1000, &w->err));
	assert_int_equal(deep.entries, TREE_DEPTH_MAX);
	struct harvest h;
	assert_int_equal(harvest(w->store, w->in, &h, &w->err), -1);
	assert_error(ERR_INPUT, "deeper than 256");
}

static void a_sum_beyond_64_bits_is_more_than_any_limit(void **state)
{
	struct world *w = *state;
	struct left left = { .bytes = UINT64_MAX - 2 };
	const struct sandbox_limits limits = { .work_bytes = INT64_MAX };
	struct sandbox_result r = {0};

	put(w->in, "f", "12345", 0644);
	must(left_add(&left, w->in, 10, &w->err));
	assert_true(left.bytes == UINT64_MAX);
	assert_true(left_too_much(&left, &limits, &r));
	left_clear(&left);
}

static void limits_are_exact(void **state)
{
	static const struct {
		struct left left;
		enum sandbox_limit limit;
		uint64_t value;
	} rows[] = {
		{ { .bytes = 100, .entries = 10 } },
		{ { .bytes = 101, .entries = 10 }, SANDBOX_LIMIT_WORK, 100 },
		{ { .bytes = 100, .entries = 11 }, SANDBOX_LIMIT_WORK_FILES, 10 },
	};
	const struct sandbox_limits limits = { .work_bytes = 100, .work_files = 10 };
	struct sandbox_result cancelled = { .end = SANDBOX_CANCELLED, .code = 15 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sandbox_result r = { .end = SANDBOX_EXITED, .code = 7 };
		bool over = rows[i].limit != SANDBOX_NO_LIMIT;

		assert_int_equal(left_too_much(&rows[i].left, &limits, &r), over);
		assert_int_equal(r.limit, rows[i].limit);
		assert_int_equal(r.limit_value, rows[i].value);
		assert_int_equal(r.end, over ? SANDBOX_LIMITED : SANDBOX_EXITED);
		assert_int_equal(r.code, over ? SIGKILL : 7);
	}
	assert_true(left_too_much(&rows[1].left, &limits, &cancelled));
	assert_true(cancelled.end == SANDBOX_CANCELLED && cancelled.code == 15 && cancelled.limit == SANDBOX_LIMIT_WORK);
}

static void what_was_left_is_accounted_for(void **state)
{
	struct world *w = *state;
	char path[] = "a\nb\xff";
	const struct left left = { .bytes = 5, .entries = 1, .largest = 4, .largest_path = path };
	const struct sandbox_result r = { .limit = SANDBOX_LIMIT_WORK, .limit_value = 3 };
	auto_json account = json_object();
	auto_buf text = {0};
	auto_buf json = {0};

	left_text(&text, &left);
	assert_string_equal(text.data, "it left 5 bytes in 1 entry, the largest is 'a\\012b\\377' with 4");
	must(limit_add_json(account, &r, &left, &w->err));
	must(json_canonical(account, &json, &w->err));
	assert_string_equal(json.data, "{\"limit\":{\"left\":{\"bytes\":5,\"entries\":1,\"largest\":{\"bytes\":4,\"path\":"
				       "\"a\\\\012b\\\\377\"}},\"name\":\"work\",\"value\":3}}");
}

static void closed_directories_are_left_to_who_reads(void **state)
{
	struct world *w = *state;
	auto_left left = {0};
	struct harvest h;

	make_dir(w->in, "locked", 0000);
	must(left_add(&left, w->in, 10, &w->err));
	assert_int_equal(left.entries, 1);
	if (geteuid() != 0) {
		assert_int_equal(harvest(w->store, w->in, &h, &w->err), -1);
		assert_error(ERR_INPUT, "'locked'");
		assert_error(ERR_INPUT, "chmod u+rX");
	}
}

/** The harvest of "in", as JSON and as text. */
static void account_of_in(struct world *w, struct harvest *ret, json_t **ret_json, struct buf *text)
{
	*ret_json = json_object();
	must(harvest(w->store, w->in, ret, &w->err));
	must(harvest_add_json(*ret_json, ret, &w->err));
	harvest_text(text, ret);
}

static void what_is_not_kept_is_named(void **state)
{
	struct world *w = *state;
	auto_harvest h = {0};
	auto_json j = NULL;
	auto_buf text = {0};
	auto_buf out = {0};

	assert_int_equal(mkfifoat(w->in, "p\n\xff", 0644), 0);
	put(w->in, "s", "x", 04755);
	account_of_in(w, &h, &j, &text);
	assert_int_equal(json_object_del(j, "tree"), 0);
	must(json_canonical(j, &out, &w->err));
	/* In the order that the directory is read. */
	const char *fifo = "{\"path\":\"p\\\\012\\\\377\",\"type\":\"fifo\"}", *set = "{\"path\":\"s\",\"type\":\"setuid\"}";
	assert_non_null(strstr(out.data, fifo));
	assert_non_null(strstr(out.data, set));
	assert_non_null(strstr(out.data, "\"setIdCleared\":1,\"specialFilesDropped\":1"));
	assert_true(text_starts(text.data, "1 special file was left out, 1 setuid or setgid file is now plain: '"));
	assert_non_null(strstr(text.data, "'p\\012\\377' (fifo)"));
	auto_free char *m = stored_manifest(w, &h.tree);
	assert_null(strstr(m, "./p"));
	assert_non_null(strstr(m, "./s type=file mode=0755 "));
}

static void names_are_sixteen_at_most(void **state)
{
	struct world *w = *state;
	auto_harvest h = {0};
	auto_json j = NULL;
	auto_buf text = {0};

	shell(w, "cd in; i=0; while test $i -lt 40; do mkfifo p$i; i=$((i+1)); done");
	/* A removal as overlays write it down: whoever makes one by hand gets no farther with it. */
	assert_int_equal(mknodat(w->in, "gone", S_IFCHR | 0600, makedev(0, 0)), 0);
	account_of_in(w, &h, &j, &text);
	assert_int_equal(h.odd, 41);
	assert_int_equal(json_array_size(json_object_get(j, "notKept")), HARVEST_NAMED);
	assert_true(text_starts(text.data, "41 special files were left out: 'p") || text_starts(text.data, "41 special files were left out: 'gone"));
	assert_string_equal(text.data + text.len - 5, ", ...");
}

static void nothing_to_tell_where_all_is_kept(void **state)
{
	struct world *w = *state;
	auto_harvest h = {0};
	auto_json j = NULL;
	auto_buf text = {0};

	put(w->in, "f", "x", 0644);
	account_of_in(w, &h, &j, &text);
	assert_int_equal(text.len, 0);
	assert_int_equal(json_array_size(json_object_get(j, "notKept")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(sizes_are_those_that_collecting_would_make),
		test_in_world(counting_ends_at_the_limit),
		test_in_world(a_sum_beyond_64_bits_is_more_than_any_limit),
		cmocka_unit_test(limits_are_exact),
		test_in_world(what_was_left_is_accounted_for),
		test_in_world(closed_directories_are_left_to_who_reads),
		test_in_world(what_is_not_kept_is_named),
		test_in_world(names_are_sixteen_at_most),
		test_in_world(nothing_to_tell_where_all_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
