/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of the wall: the confined process, which reads and answers with one document, as a row of json_to_row(), and what is believed of that.
 *
 *     {"packages": [{"k": kind, "n": name, "v": version, "a": arch, "s": supplier, "l": licence, "f": file, "d": [places], "x": listed}],
 *      "owner": [place or -1 for each of the contents], "os": {"id", "version", "name"}, "notes": [{"f": file, "why": text}]}
 */
#include "inspect/pkg_apart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/confine.h"
#include "inspect/licence.h"

/** What the reader may take. */
#define READER_MEMORY (2ull << 30)
#define READER_CPU_S 120
/** Most bytes of its answer. */
#define ANSWER_MAX JSON_INPUT_MAX

/* ---- in the confined process ------------------------------------------------------- */

struct job {
	const struct contents *contents;
	const struct pkg_text *texts;
	size_t n;
};

int pkg_note(struct pkg_found *f, size_t file, const char *why, struct err *err)
{
	if (f->nnotes == PACKAGE_NOTES_MAX)
		return 0;
	if (!array_room(&f->notes, f->nnotes, &f->notes_room))
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	f->notes[f->nnotes] = (struct package_note){ file, strdup(why) };
	return f->notes[f->nnotes++].why == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "find packages") : 0;
}

static int load_text(const struct slice *bytes, struct buf *text, struct pkg_file *file, struct err *err)
{
	size_t n = (size_t)bytes->size, got = 0;

	buf_clear(text);
	char *room = buf_room(text, n);
	if (room == NULL)
		return buf_check(text, "file", err);
	if (slice_pread(bytes->fd, room, n, bytes->offset, &got, err) < 0)
		return -1;
	buf_seal(text, got);
	file->text = text->data;
	file->n = got;
	return 0;
}

/** Reads one file; one that makes no sense is noted. */
static int read_text(struct pkg_found *f, const struct pkg_text *t, struct buf *text, struct err *err)
{
	struct pkg_file file = { .at = t->at, .path = f->contents->v[t->at].path, .bytes = t->bytes };

	if (!pkg_reads_bytes(t->format) && load_text(&t->bytes, text, &file, err) < 0)
		return -1;
	if (pkg_read(f, t->format, &file, err) == 0)
		return 0;
	return err->kind == ERR_INPUT ? pkg_note(f, t->at, err->msg, err) : -1;
}

static int set_text(json_t *j, const char *name, const char *s)
{
	return s == NULL ? 0 : json_object_set_new(j, name, json_bytes(s, strlen(s)));
}

static json_t *package_json(const struct package *p)
{
	auto_json j = json_pack("{s:i, s:I}", "k", (int)p->kind, "f", (json_int_t)p->from);
	auto_json needs = json_array();

	for (size_t i = 0; i < p->nneeds; i++)
		if (json_array_append_new(needs, json_integer((json_int_t)p->needs[i])) < 0)
			return NULL;
	if (set_text(j, "n", p->name) < 0 || set_text(j, "v", p->version) < 0 || set_text(j, "a", p->arch) < 0 ||
	    set_text(j, "s", p->supplier) < 0 || set_text(j, "l", p->licence) < 0 || json_object_set(j, "d", needs) < 0 ||
	    json_object_set_new(j, "x", json_boolean(p->listed)) < 0)
		return NULL;
	return move_ptr(j);
}

static json_t *found_json(const struct pkg_found *f)
{
	auto_json packages = json_array();
	auto_json owner = json_array();
	auto_json notes = json_array();
	auto_json os = json_object();

	for (size_t i = 0; i < f->n; i++)
		if (json_array_append_new(packages, package_json(&f->v[i].p)) < 0)
			return NULL;
	for (size_t i = 0; i < f->contents->n; i++)
		if (json_array_append_new(owner, json_integer(f->owner[i] == PACKAGE_NONE ? -1 : (json_int_t)f->owner[i])) < 0)
			return NULL;
	for (size_t i = 0; i < f->nnotes; i++)
		if (json_array_append_new(notes, json_pack("{s:I, s:o}", "f", (json_int_t)f->notes[i].file, "why",
							   json_bytes(f->notes[i].why, strlen(f->notes[i].why)))) < 0)
			return NULL;
	if (set_text(os, "id", f->os_id) < 0 || set_text(os, "version", f->os_version) < 0 || set_text(os, "name", f->os_name) < 0)
		return NULL;
	return json_pack("{s:O, s:O, s:O, s:O}", "packages", packages, "owner", owner, "notes", notes, "os", os);
}

int pkg_answer(const struct pkg_found *f, struct buf *out, struct err *err)
{
	auto_json j = found_json(f);

	if (j == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	json_to_row(j, out);
	return buf_check(out, "find packages", err);
}

int pkg_read_texts(struct pkg_found *f, const struct pkg_text *texts, size_t n, struct err *err)
{
	auto_buf text = {0};

	for (size_t i = 0; i < n; i++)
		if (read_text(f, &texts[i], &text, err) < 0)
			return -1;
	return pkg_finish(f, err);
}

static int read_apart(void *arg, int out, struct err *err)
{
	const struct job *job = arg;
	auto_pkg_found f = {0};
	auto_buf answer = {0};

	if (pkg_found_begin(&f, job->contents, err) < 0 || pkg_read_texts(&f, job->texts, job->n, err) < 0 ||
	    pkg_answer(&f, &answer, err) < 0)
		return -1;
	return io_write_all(out, answer.data, answer.len, err);
}

/* ---- on this side --------------------------------------------------------------------- */

static int bad(struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "the reader of packages has said what makes no sense: a file has taken it over");
}

/** Takes a text that may be missing. */
static int take_text(const json_t *j, const char *name, size_t max, char **to, struct err *err)
{
	const json_t *value = json_object_get(j, name);
	const char *s = json_string_value(value);

	if (value == NULL)
		return 0;
	if (s == NULL || s[0] == '\0' || strlen(s) > max)
		return bad(err);
	*to = strdup(s);
	return *to == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "find packages") : 0;
}

/** Takes a number below @p end; @p none: -1, for SIZE_MAX, too. */
static int take_place(const json_t *value, size_t end, bool none, size_t *to, struct err *err)
{
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < (none ? -1 : 0) || (n >= 0 && (uint64_t)n >= end))
		return bad(err);
	*to = n < 0 ? SIZE_MAX : (size_t)n;
	return 0;
}

static int take_needs(const json_t *list, size_t n, struct package *p, struct err *err)
{
	size_t i;
	json_t *value;

	if (!json_is_array(list) || json_array_size(list) > PACKAGE_NEEDS_MAX)
		return bad(err);
	p->needs = calloc(json_array_size(list) + 1, sizeof *p->needs);
	if (p->needs == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	json_array_foreach(list, i, value) {
		if (take_place(value, n, false, &p->needs[i], err) < 0)
			return -1;
		if (i > 0 && p->needs[i] <= p->needs[i - 1])
			return bad(err);
	}
	p->nneeds = json_array_size(list);
	return 0;
}

static int take_package(const json_t *j, size_t npackages, size_t nfiles, struct package *p, struct err *err)
{
	/* What a licence's name is made into is longer, and \ooo is four times a byte. */
	const size_t max = 4 * PACKAGE_TEXT_MAX;
	size_t kind = 0;

	if (take_place(json_object_get(j, "k"), PACKAGE_KINDS, false, &kind, err) < 0 ||
	    take_place(json_object_get(j, "f"), nfiles, false, &p->from, err) < 0 || take_text(j, "n", max, &p->name, err) < 0 ||
	    take_text(j, "v", max, &p->version, err) < 0 || take_text(j, "a", max, &p->arch, err) < 0 ||
	    take_text(j, "s", max, &p->supplier, err) < 0 || take_text(j, "l", max, &p->licence, err) < 0 ||
	    take_needs(json_object_get(j, "d"), npackages, p, err) < 0)
		return -1;
	p->kind = (enum package_kind)kind;
	p->listed = json_is_true(json_object_get(j, "x"));
	return p->name == NULL || (p->licence != NULL && !licence_is_plain(p->licence)) ? bad(err) : 0;
}

static int take_notes(const json_t *list, size_t nfiles, struct packages *p, struct err *err)
{
	size_t i;
	json_t *note;

	if (!json_is_array(list) || json_array_size(list) > PACKAGE_NOTES_MAX)
		return bad(err);
	p->notes = calloc(json_array_size(list) + 1, sizeof *p->notes);
	if (p->notes == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	json_array_foreach(list, i, note) {
		p->nnotes++;
		if (take_place(json_object_get(note, "f"), nfiles, false, &p->notes[i].file, err) < 0 ||
		    take_text(note, "why", 4 * ERR_MSG_MAX, &p->notes[i].why, err) < 0)
			return -1;
		if (p->notes[i].why == NULL)
			return bad(err);
	}
	return 0;
}

static int take_owner(const json_t *list, size_t npackages, size_t nfiles, struct packages *p, struct err *err)
{
	p->owner = calloc(nfiles + 1, sizeof *p->owner);
	if (p->owner == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	if (json_array_size(list) != nfiles)
		return bad(err);
	for (size_t i = 0; i < nfiles; i++)
		if (take_place(json_array_get(list, i), npackages, true, &p->owner[i], err) < 0)
			return -1;
	return 0;
}

int pkg_believe(const char *answer, size_t n, size_t nfiles, struct packages *ret, struct err *err)
{
	auto_json j = NULL;
	auto_packages p = {0};
	const json_t *list, *os;
	size_t i;
	json_t *one;

	if (json_from_row(answer, n, &j) < 0)
		return bad(err);
	list = json_object_get(j, "packages");
	os = json_object_get(j, "os");
	if (!json_is_array(list) || json_array_size(list) > PACKAGES_MAX)
		return bad(err);
	p.v = calloc(json_array_size(list) + 1, sizeof *p.v);
	if (p.v == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	json_array_foreach(list, i, one) {
		p.n++;
		if (take_package(one, json_array_size(list), nfiles, &p.v[i], err) < 0)
			return -1;
	}
	if (take_owner(json_object_get(j, "owner"), p.n, nfiles, &p, err) < 0 ||
	    take_notes(json_object_get(j, "notes"), nfiles, &p, err) < 0 || take_text(os, "id", 4 * PACKAGE_TEXT_MAX, &p.os_id, err) < 0 ||
	    take_text(os, "version", 4 * PACKAGE_TEXT_MAX, &p.os_version, err) < 0 ||
	    take_text(os, "name", 4 * PACKAGE_TEXT_MAX, &p.os_name, err) < 0)
		return -1;
	*ret = p;
	p = (struct packages){0};
	return 0;
}

int pkg_find_apart(const struct contents *c, const struct pkg_text *texts, size_t n, const int *fds, size_t nfds, struct packages *ret,
		   struct err *err)
{
	struct job job = { c, texts, n };
	const struct confine_conf conf = {
		.what = "the reader of packages", .fn = read_apart, .arg = &job, .fds = fds, .nfds = nfds, .kind = ERR_INPUT,
		.memory = READER_MEMORY, .cpu_s = READER_CPU_S,
	};
	auto_buf answer = {0};

	if (confine_run(&conf, ANSWER_MAX, &answer, err) < 0)
		return -1;
	return pkg_believe(answer.data == NULL ? "" : answer.data, answer.len, c->n, ret, err);
}
