/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/reports.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "fetch/glob.h"

void reports_clear(struct reports *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].path);
		buf_free(&r->v[i].text);
		junit_clear(&r->v[i].cases);
		free(r->v[i].fault);
	}
	free(r->v);
	*r = (struct reports){0};
}

/* ---- finding ------------------------------------------------------------------------ */

/** The search, as the filter of a snapshot. */
struct search {
	int dirfd;
	struct glob *glob;
	size_t fixed;         /**< bytes of the pattern in which nothing stands for anything else, up to a slash */
	const char *pattern;
	size_t looked, found;
	uint64_t bytes;
	bool too_much;
};

static size_t slashes(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += *s == '/';
	return n;
}

/** Whether a report may lie in the directory @p path: the pattern's fixed part leads there, or it lies in that, no deeper than the pattern. */
static bool leads_on(const struct search *s, const char *path)
{
	size_t n = strlen(path);

	if (slashes(path) >= slashes(s->pattern) && strstr(s->pattern, "**") == NULL)
		return false;
	if (n > s->fixed)
		return s->fixed == 0 || (strncmp(path, s->pattern, s->fixed) == 0 && path[s->fixed] == '/');
	return strncmp(path, s->pattern, n) == 0 && s->pattern[n] == '/';
}

/** Whether to leave @p path out. Its size is asked before anybody copies it. */
static bool skip(void *arg, const char *path, bool is_dir)
{
	struct search *s = arg;
	struct stat st;

	s->too_much = s->too_much || ++s->looked > REPORTS_LOOKED_MAX;
	if (s->too_much)
		return true;
	if (is_dir)
		return !leads_on(s, path);
	if (!glob_match(s->glob, path) || fstatat(s->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return true;
	s->found++;
	s->too_much = s->found > REPORTS_MAX || (uint64_t)st.st_size > REPORTS_BYTES_MAX - s->bytes;
	if (!s->too_much)
		s->bytes += (uint64_t)st.st_size;
	return s->too_much;
}

/** How much of the pattern is plain text, in whole components. */
static size_t fixed_part(const char *pattern)
{
	size_t n = strcspn(pattern, "*?[\\");

	while (n > 0 && pattern[n - 1] != '/')
		n--;
	return n > 0 ? n - 1 : 0;
}

static int snapshot(struct store *store, struct search *s, struct reports *ret, struct err *err)
{
	const struct snapshot_filter filter = { .skip = skip, .arg = s };
	const struct snapshot_options opt = { .form = TREE_SOURCE, .skip_odd = true, .filter = &filter };
	auto_tree_builder tree = NULL;
	struct snapshot_stats stats;
	struct digest digest;

	if (tree_builder_new(&tree, err) < 0 || store_snapshot(store, s->dirfd, &opt, tree, &stats, err) < 0)
		return -1;
	if (s->too_much)
		return err_set(err, ERR_STEP, 0, "reports '%.200s': more than %d, more than %u bytes, or among more than %d files", s->pattern,
			       REPORTS_MAX, REPORTS_BYTES_MAX, REPORTS_LOOKED_MAX);
	if (stats.files == 0)
		return 0;
	if (store_put_tree(store, tree, &digest, err) < 0)
		return -1;
	*ret = (struct reports){ .any = true, .tree = digest };
	return 0;
}

int reports_find(struct store *store, int dirfd, const char *pattern, struct reports *ret, struct err *err)
{
	struct search s = { .dirfd = dirfd, .pattern = pattern, .fixed = fixed_part(pattern), .glob = glob_new(pattern, strlen(pattern)) };

	if (s.glob == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "look for reports");
	int result = snapshot(store, &s, ret, err);
	glob_free(s.glob);
	/* What cannot be read is the step's doing. */
	if (result < 0 && err->kind == ERR_INPUT)
		err->kind = ERR_STEP;
	return result;
}

/* ---- reading ------------------------------------------------------------------------ */

static int read_text(struct store *store, const struct tree_entry *e, struct report_file *f, struct err *err)
{
	struct digest found;
	auto_fd fd = -1;

	f->path = strdup(e->path);
	f->digest = e->digest;
	if (f->path == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a report");
	if (store_open_object(store, &e->digest, &fd, err) < 0 || io_read_all(fd, REPORTS_BYTES_MAX, &f->text, err) < 0 ||
	    hash_bytes(f->text.data, f->text.len, &found, err) < 0)
		return -1;
	return digest_eq(&found, &e->digest) ? 0 : err_set(err, ERR_INTERNAL, 0, "the report '%.200s' is damaged in the store", e->path);
}

/** What a report says of itself, or why it is none. */
static int read_cases(struct report_file *f, struct err *err)
{
	struct err why = {0};

	if (junit_read("report", f->text.data == NULL ? "" : f->text.data, f->text.len, &f->cases, &why) == 0)
		return 0;
	if (why.kind != ERR_STEP) {
		*err = why;
		return -1;
	}
	f->fault = strdup(why.msg);
	return f->fault == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "read a report") : 0;
}

int reports_read(struct store *store, struct reports *r, struct err *err)
{
	auto_tree_reader tree = NULL;
	struct tree_entry e;
	int more;

	if (!r->any)
		return 0;
	r->v = calloc(REPORTS_MAX, sizeof *r->v);
	if (r->v == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read reports");
	if (store_read_tree(store, &r->tree, &tree, err) < 0)
		return -1;
	while ((more = tree_reader_next(tree, &e, err)) > 0) {
		if (e.type != TREE_FILE || r->n == REPORTS_MAX)
			continue;
		struct report_file *f = &r->v[r->n++];
		if (read_text(store, &e, f, err) < 0 || read_cases(f, err) < 0)
			return -1;
	}
	return more;
}

json_t *reports_json(const struct reports *r)
{
	auto_json all = json_array();

	for (size_t i = 0; i < r->n; i++) {
		const struct report_file *f = &r->v[i];
		char digest[DIGEST_STR_SIZE];
		json_t *one = json_pack("{s:o, s:s}", "path", json_bytes(f->path, strlen(f->path)), "digest", digest_str(&f->digest, digest));
		int bad = f->fault != NULL
			? json_object_set_new(one, "fault", json_bytes(f->fault, strlen(f->fault)))
			: json_object_set_new(one, "passed", json_integer((json_int_t)f->cases.count[JUNIT_PASSED])) < 0 ||
			  json_object_set_new(one, "failed", json_integer((json_int_t)f->cases.count[JUNIT_FAILED])) < 0 ||
			  json_object_set_new(one, "skipped", json_integer((json_int_t)f->cases.count[JUNIT_SKIPPED])) < 0;

		if (json_array_append_new(all, one) < 0 || bad)
			return NULL;
	}
	return move_ptr(all);
}
