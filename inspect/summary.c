/* SPDX-License-Identifier: Apache-2.0 */
/* In the confined process: layers are unpacked, laid over each other, and told of. */
#include "inspect/summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/harden.h"
#include "inspect/pkg_apart.h"

static int short_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, ENOMEM, "sum up an image");
}

static json_t *text(const char *s)
{
	return json_bytes(s, strlen(s));
}

/* ---- layers ---------------------------------------------------------------------------------- */

/** Adds a layer, unpacked where it is compressed. */
static int add_layer(struct overlay *o, struct look *l, const struct slice *stored, struct err *err)
{
	unsigned char head[LOOK_HEAD];
	struct slice tar = *stored;
	size_t n;

	if (bytes_read(stored, 0, head, sizeof head, &n, err) < 0)
		return -1;
	if (look_codec_name(head, n) != NULL && look_unpack(l, stored, NULL, &tar, err) < 0)
		return -1;
	return overlay_add(o, &tar, err);
}

static json_t *counts_json(const struct overlay_counts *c)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "files", (json_int_t)c->files, "directories", (json_int_t)c->directories, "links",
			 (json_int_t)c->links, "hardLinks", (json_int_t)c->hard_links, "others", (json_int_t)c->others, "whiteouts",
			 (json_int_t)c->whiteouts, "unpackedBytes", (json_int_t)c->bytes);
}

static json_t *layers_json(const struct overlay *o)
{
	auto_json list = json_array();

	for (size_t i = 0; i < o->nlayers; i++)
		if (json_array_append_new(list, counts_json(&o->layers[i].counts)) < 0)
			return NULL;
	return move_ptr(list);
}

/* ---- files ------------------------------------------------------------------------------------- */

/** Puts @p m among the largest so far, of which there are @p n; of one size the first stays first. @return how many there are now. */
static size_t place(const struct member **top, size_t n, const struct member *m)
{
	size_t at = n;

	while (at > 0 && top[at - 1]->size < m->size)
		at--;
	if (at == SUMMARY_BIGGEST)
		return n;
	n += n < SUMMARY_BIGGEST;
	memmove(top + at + 1, top + at, (n - 1 - at) * sizeof *top);
	top[at] = m;
	return n;
}

static json_t *biggest_json(const struct overlay *o)
{
	const struct member *top[SUMMARY_BIGGEST];
	auto_json list = json_array();
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++)
		if (o->v[i]->type == MEMBER_FILE)
			n = place(top, n, o->v[i]);
	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(list, json_pack("{s:o, s:I, s:I}", "path", text(top[i]->path), "size", (json_int_t)top[i]->size, "layer",
							  (json_int_t)(overlay_layer_of(o, top[i]) + 1))) < 0)
			return NULL;
	return move_ptr(list);
}

static json_t *setuid_json(const struct overlay *o)
{
	auto_json list = json_array();

	for (size_t i = 0; i < o->n && json_array_size(list) < SUMMARY_SETUID_MAX; i++) {
		const struct member *m = o->v[i];
		char mode[8];

		if ((m->type != MEMBER_FILE && m->type != MEMBER_HARD) || (m->mode & 06000) == 0)
			continue;
		snprintf(mode, sizeof mode, "%04o", m->mode & 07777);
		if (json_array_append_new(list, json_pack("{s:o, s:s, s:I, s:I}", "path", text(m->path), "mode", mode, "uid", (json_int_t)m->uid,
							  "gid", (json_int_t)m->gid)) < 0)
			return NULL;
	}
	return move_ptr(list);
}

/* ---- packages ------------------------------------------------------------------------------------ */

/** What is seen, as the readers of packages know it; a hard link is a file. @p bytes: where their contents are. */
static int fill_contents(const struct overlay *o, struct contents *c, struct slice *bytes, struct err *err)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct member *m = o->v[i];
		const struct slice content = overlay_content(o, m);
		const struct tree_entry e = {
			.type = m->type == MEMBER_LINK ? TREE_LINK : TREE_FILE, .mode = m->mode, .size = content.size, .link = m->link,
		};

		if (m->type == MEMBER_DIR || m->type == MEMBER_OTHER)
			continue;
		bytes[c->n] = content;
		if (contents_add(c, &e, m->path, 0, err) < 0)
			return -1;
	}
	/* They are in order already, and none hides another. */
	contents_lay(c);
	return 0;
}

static json_t *package_json(const struct package *p)
{
	auto_json j = json_pack("{s:s, s:o, s:b}", "kind", package_kind_name(p->kind), "name", text(p->name), "listed", p->listed);

	if (j == NULL || (p->version != NULL && json_object_set_new(j, "version", text(p->version)) < 0) ||
	    (p->arch != NULL && json_object_set_new(j, "arch", text(p->arch)) < 0))
		return NULL;
	return move_ptr(j);
}

static json_t *kinds_json(const struct pkg_found *f)
{
	uint64_t count[PACKAGE_KINDS] = {0};
	auto_json kinds = json_object();

	for (size_t i = 0; i < f->n; i++)
		count[f->v[i].p.kind]++;
	for (size_t i = 0; i < PACKAGE_KINDS; i++)
		if (count[i] > 0 && json_object_set_new(kinds, package_kind_name((enum package_kind)i), json_integer((json_int_t)count[i])) < 0)
			return NULL;
	return move_ptr(kinds);
}

static json_t *found_json(const struct pkg_found *f)
{
	auto_json list = json_array();
	auto_json notes = json_array();
	auto_json j = NULL;

	for (size_t i = 0; i < f->n; i++)
		if (json_array_append_new(list, package_json(&f->v[i].p)) < 0)
			return NULL;
	for (size_t i = 0; i < f->nnotes; i++)
		if (json_array_append_new(notes, json_pack("{s:o, s:o}", "path", text(f->contents->v[f->notes[i].file].path), "why",
							   text(f->notes[i].why))) < 0)
			return NULL;
	j = json_pack("{s:I, s:o, s:O, s:O}", "count", (json_int_t)f->n, "kinds", kinds_json(f), "list", list, "notes", notes);
	if (j == NULL || (f->os_name != NULL && json_object_set_new(j, "os", text(f->os_name)) < 0))
		return NULL;
	return move_ptr(j);
}

static int find_packages(const struct overlay *o, json_t **ret, struct err *err)
{
	auto_free struct slice *bytes = calloc(o->n + 1, sizeof *bytes);
	auto_contents c = {0};
	auto_pkg_found f = {0};

	if (bytes == NULL)
		return short_memory(err);
	if (fill_contents(o, &c, bytes, err) < 0 || pkg_found_begin(&f, &c, err) < 0 || pkg_find_here(&c, bytes, &f, err) < 0)
		return -1;
	*ret = found_json(&f);
	return *ret == NULL ? short_memory(err) : 0;
}

/* ---- all of it -------------------------------------------------------------------------------------- */

int summary_find_here(const struct slice *layers, size_t n, int scratch, json_t **ret, struct err *err)
{
	struct look l = { .scratch = scratch };
	auto_overlay o = {0};
	auto_json findings = json_array();
	auto_json packages = NULL;

	for (size_t i = 0; i < n; i++)
		if (add_layer(&o, &l, &layers[i], err) < 0)
			return err_ctx(err, "layer %zu", i + 1);
	if (overlay_lay(&o, err) < 0 || harden_files(&o, findings, err) < 0 || find_packages(&o, &packages, err) < 0)
		return -1;
	*ret = json_pack("{s:o, s:o, s:o, s:o, s:O, s:O}", "layers", layers_json(&o), "total", counts_json(&o.total), "biggest", biggest_json(&o),
			 "setuid", setuid_json(&o), "findings", findings, "packages", packages);
	return *ret == NULL ? short_memory(err) : 0;
}
