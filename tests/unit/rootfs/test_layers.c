/* SPDX-License-Identifier: Apache-2.0 */
/* Layers laid one over the other, against a model that keeps a list and knows no order; and readers that lie. */
#include "tests/unit/store/help.h"

#include <sys/mman.h>

#include "rootfs/import_table.h"
#include "rootfs/stream.h"
#include "rootfs/wire.h"

/* ---- layers against a model --------------------------------------------------------- */

#define PATHS 12
/** A small world of paths, some like others. */
static const char *const paths[PATHS] = {
	"a", "a/b", "a/b/c", "a/b-", "a-", "a-/b", "a.b", "b", "b/a", "b/a/a", "a/c", "c",
};

/** What a path is in the model: 0 nothing, 'd' a directory, else a file of that letter. */
struct model {
	char what[PATHS];
};

static unsigned next_random(unsigned *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16 & 0x7fff;
}

static bool lies_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && path[n] == '/';
}

/** One layer: what it puts, and what it takes away. */
struct plan {
	char put[PATHS];
	bool gone[PATHS], opaque[PATHS];
};

/** A plan that keeps to the rules: what it puts lies in directories that it puts, too. */
static struct plan random_plan(unsigned *state)
{
	struct plan p = {0};

	for (int i = 0; i < PATHS; i++) {
		unsigned r = next_random(state);

		if (r % 3 == 0)
			p.put[i] = r / 3 % 2 == 0 ? 'd' : (char)('A' + r % 26);
		p.gone[i] = r % 7 == 1;
		p.opaque[i] = r % 11 == 2 && p.put[i] == 'd';
	}
	for (int i = 0; i < PATHS; i++)
		for (int k = 0; k < PATHS; k++)
			if (p.put[i] != 0 && lies_below(paths[i], paths[k]))
				p.put[k] = 'd';
	for (int i = 0; i < PATHS; i++)
		p.opaque[i] = p.opaque[i] && p.put[i] == 'd';
	return p;
}

static void model_apply(struct model *m, const struct plan *p)
{
	for (int i = 0; i < PATHS; i++)
		for (int k = 0; k < PATHS; k++) {
			bool below = lies_below(paths[i], paths[k]);

			if ((p->gone[k] && (i == k || below)) || (p->opaque[k] && below) ||
			    (below && p->put[k] != 0 && p->put[k] != 'd'))
				m->what[i] = 0;
		}
	for (int i = 0; i < PATHS; i++)
		if (p->put[i] != 0)
			m->what[i] = p->put[i];
}

static void add(struct import_table *t, const struct plan *p, int i, struct err *err)
{
	struct import_entry e = { .path = paths[i], .kind = p->put[i] == 'd' ? IMPORT_DIR : IMPORT_FILE, .mode = 0755 };
	char mark[64];

	e.size = e.kind == IMPORT_FILE ? (uint64_t)p->put[i] : 0;
	if (p->put[i] != 0)
		assert_int_equal(import_table_add(t, &e, err), 0);
	/* Where the mark stands is of no account here but for its parents, which are there. */
	snprintf(mark, sizeof mark, "%s", ".wh.x");
	if (p->gone[i])
		assert_int_equal(import_table_whiteout(t, mark, IMPORT_WHITEOUT, paths[i], err), 0);
	if (p->opaque[i])
		assert_int_equal(import_table_whiteout(t, mark, IMPORT_OPAQUE, paths[i], err), 0);
}

static void put_layer(struct import_rows *rows, const struct plan *p, struct import_totals *totals, unsigned *state)
{
	struct err err = {0};
	auto_import_table t = NULL;
	auto_import_rows layer = {0};
	int first = (int)(next_random(state) % PATHS), step = next_random(state) % 2 == 0 ? 1 : PATHS - 1;

	assert_int_equal(import_table_new(totals, true, &t, &err), 0);
	for (int i = 0; i < PATHS; i++)
		add(t, p, (first + i * step) % PATHS, &err);
	assert_int_equal(import_table_settle(t, &err), 0);
	import_table_take(t, &layer);
	if (import_layers_put(rows, &layer, totals, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(layer.n, 0);
}

static void compare(const struct import_rows *rows, const struct model *m, unsigned seed)
{
	size_t n = 0;

	for (int i = 0; i < PATHS; i++)
		n += m->what[i] != 0;
	if (n != rows->n)
		fail_msg("seed %u: %zu entries, and the model has %zu", seed, rows->n, n);
	for (size_t r = 0; r < rows->n; r++) {
		const struct import_entry *e = &rows->v[r]->e;

		if (r > 0)
			assert_true(import_path_order(rows->v[r - 1]->path, e->path) < 0);
		for (int i = 0; i < PATHS; i++)
			if (strcmp(paths[i], e->path) == 0 &&
			    (e->kind == IMPORT_DIR ? m->what[i] != 'd' : (uint64_t)m->what[i] != e->size))
				fail_msg("seed %u: '%s' is not what the model has", seed, e->path);
	}
}

static void layers_are_what_a_model_says(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 3000; seed++) {
		auto_import_rows rows = {0};
		struct import_totals totals = {0};
		struct model m = {0};
		unsigned random = seed;

		for (int layer = 0; layer < 5; layer++) {
			struct plan p = random_plan(&random);

			model_apply(&m, &p);
			put_layer(&rows, &p, &totals, &random);
			compare(&rows, &m, seed);
		}
	}
}

static void what_is_in_a_directory_comes_straight_after_it(void **state)
{
	static const char *const sorted[] = { "", "a", "a/", "a/b", "a/b/c", "a/b-", "a\001", "a-", "a-/x", "a.b", "aa", "b", "\xff" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++)
		for (size_t k = 0; k < ARRAY_LEN(sorted); k++) {
			int order = import_path_order(sorted[i], sorted[k]);

			if ((order > 0) - (order < 0) != (i > k) - (i < k))
				fail_msg("'%s' and '%s': %d", sorted[i], sorted[k], order);
		}
}

/* ---- readers that lie --------------------------------------------------------------------- */

#define ENTRY(...) { .type = WIRE_ENTRY, __VA_ARGS__ }

/** Messages as a reader that was taken over might send them; names are filled with 'n'. */
static const struct {
	struct wire_head h[3];
	const char *why;
} lies[] = {
	{ { { .type = 0 } }, "taken it over" },
	{ { { .type = 99 } }, "taken it over" },
	{ { { .type = WIRE_DATA, .size = 1 } }, "taken it over" },
	{ { { .type = WIRE_HOLE, .size = 1 } }, "taken it over" },
	{ { ENTRY(.kind = 0, .path_len = 1) }, "taken it over" },
	{ { ENTRY(.kind = 99, .path_len = 1) }, "taken it over" },
	{ { ENTRY(.kind = WIRE_FILE, .path_len = UINT32_MAX) }, "taken it over" },
	{ { ENTRY(.kind = WIRE_LINK, .path_len = 1, .link_len = WIRE_NAME_MAX + 1) }, "taken it over" },
	{ { ENTRY(.kind = WIRE_FILE, .path_len = 1, .size = 1), { .type = WIRE_DATA, .size = 2 } }, "taken it over" },
	{ { ENTRY(.kind = WIRE_FILE, .path_len = 1, .size = 9), { .type = WIRE_HOLE, .size = 10 } }, "taken it over" },
	{ { ENTRY(.kind = WIRE_FILE, .path_len = 1, .size = 1), { .type = WIRE_END } }, "taken it over" },
	{ { ENTRY(.kind = WIRE_FILE, .path_len = 1, .size = 1 << 20), { .type = WIRE_DATA, .size = WIRE_DATA_MAX + 1 } }, "taken it over" },
	{ { ENTRY(.kind = WIRE_FILE, .path_len = 1, .size = UINT64_MAX) }, "larger than" },
	{ { ENTRY(.kind = WIRE_FILE, .path_len = 300) }, "longer than 255" },
	{ { ENTRY(.kind = WIRE_FILE, .path_len = 1, .size = 1) }, "ends too early" },
	{ { ENTRY(.kind = WIRE_DIR, .path_len = 1, .uid = UINT64_MAX), { .type = WIRE_END } }, "" },
};

static void write_lie(int fd, const struct wire_head *h, struct world *w)
{
	static char names[1024];

	memset(names, 'n', sizeof names);
	for (int i = 0; i < 3 && (i == 0 || h[i].type != 0); i++) {
		must(io_write_all(fd, &h[i], sizeof h[i], &w->err));
		if (h[i].type == WIRE_ENTRY)
			must(io_write_all(fd, names, h[i].path_len < sizeof names ? h[i].path_len : 0, &w->err));
	}
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
}

static int take_lie(struct world *w, int fd)
{
	auto_stream s = NULL;
	auto_store_writer writer = NULL;
	auto_import_table t = NULL;
	auto_tree_builder b = NULL;
	auto_import_rows rows = {0};
	struct import_totals totals = {0};

	must(stream_of(fd, &s, &w->err));
	must(store_writer_begin(w->store, &writer, &w->err));
	must(import_table_new(&totals, false, &t, &w->err));
	must(tree_builder_new(&b, &w->err));
	if (import_entries(s, writer, t, &totals, TREE_ROOTFS, &w->err) < 0)
		return -1;
	import_table_take(t, &rows);
	return import_rows_hand_over(&rows, b, &w->err);
}

static void a_reader_that_lies_is_not_believed(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		auto_fd fd = memfd_create("lie", MFD_CLOEXEC);

		write_lie(fd, lies[i].h, w);
		if (take_lie(w, fd) != -1)
			fail_msg("row %zu was believed", i);
		assert_int_equal(w->err.kind, ERR_INPUT);
		if (strstr(w->err.msg, lies[i].why) == NULL)
			fail_msg("row %zu: %s", i, w->err.msg);
	}
	assert_int_equal(entries(store_fd(w->store), "objects"), 0);
}

/* ---- streams ------------------------------------------------------------------------------- */

static void bytes_pass_whole_and_are_hashed_on_both_sides(void **state)
{
	struct world *w = *state;
	static char got[1 << 20];
	struct stream_sums sums;
	struct digest plain, stored;
	size_t n, all = 0;

	shell(w, "head -c 3000000 /dev/urandom >plain; gzip -k plain");
	auto_fd fd = openat(w->fd, "plain.gz", O_RDONLY | O_CLOEXEC);
	auto_fd raw = openat(w->fd, "plain", O_RDONLY | O_CLOEXEC);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	must(hash_fd(raw, &plain, NULL, &w->err));
	must(hash_fd(fd, &stored, NULL, &w->err));
	const struct stream_source from = { .fd = fd, .size = (uint64_t)st.st_size };
	auto_stream s = NULL;
	must(stream_open(&from, UNPACK_GZIP, STREAM_BYTES, &s, &w->err));
	auto_hasher h = hasher_new();
	do {
		must(stream_take(s, got, sizeof got, &n, &w->err));
		hasher_add(h, got, n);
		all += n;
	} while (n > 0);
	must(stream_end(s, &sums, &w->err));
	struct digest d;
	must(hasher_final(h, &d, &w->err));
	assert_true(digest_eq(&d, &plain));
	assert_true(digest_eq(&sums.stored_digest, &stored));
	assert_int_equal(all, 3000000);
	assert_int_equal(sums.stored, st.st_size);
}

static void a_file_that_shrinks_is_noticed(void **state)
{
	struct world *w = *state;
	char byte;

	put(w->fd, "short", "short", 0644);
	auto_fd fd = openat(w->fd, "short", O_RDONLY | O_CLOEXEC);
	const struct stream_source from = { .fd = fd, .size = 100 };
	auto_stream s = NULL;
	must(stream_open(&from, UNPACK_ANY, STREAM_TAR, &s, &w->err));
	assert_int_equal(stream_read(s, &byte, 1, &w->err), -1);
	assert_error(ERR_INPUT, "shorter");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_are_what_a_model_says),
		cmocka_unit_test(what_is_in_a_directory_comes_straight_after_it),
		test_in_world(a_reader_that_lies_is_not_believed),
		test_in_world(bytes_pass_whole_and_are_hashed_on_both_sides),
		test_in_world(a_file_that_shrinks_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
