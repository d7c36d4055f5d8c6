/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/sbom.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/purl.h"
#include "inspect/sbom_parts.h"

const struct sbom_kind sbom_kinds[SBOM_FORMATS] = {
	[SBOM_CYCLONEDX] = { "cyclonedx-1.6", "sbom.cdx.json", "https://cyclonedx.org/bom", "application/vnd.cyclonedx+json" },
	[SBOM_SPDX] = { "spdx-2.3", "sbom.spdx.json", "https://spdx.dev/Document/v2.3", "application/spdx+json" },
};

char *sbom_ref(const char *prefix, size_t n, char out[SBOM_REF_SIZE])
{
	snprintf(out, SBOM_REF_SIZE, "%s%zu", prefix, n);
	return out;
}

int sbom_uuid(const struct sbom *s, char out[SBOM_REF_SIZE], struct err *err)
{
	/* The name space is a UUID of glovebox's own, made once. */
	static const unsigned char space[16] = {
		0x5d, 0x0c, 0x8f, 0x3e, 0x41, 0x6b, 0x4e, 0x0a, 0x9c, 0x57, 0x2f, 0x8e, 0x1b, 0x7d, 0x60, 0xa4,
	};
	auto_buf name = {0};
	char digest[DIGEST_STR_SIZE];
	struct sha1 h;

	buf_add(&name, space, sizeof space);
	buf_addf(&name, "%s glovebox %s " SBOM_FORM, digest_str(&s->manifest, digest), s->version);
	if (buf_check(&name, "serial number", err) < 0 || hash_sha1_bytes(name.data, name.len, &h, err) < 0)
		return -1;
	h.b[6] = (h.b[6] & 0x0f) | 0x50;
	h.b[8] = (h.b[8] & 0x3f) | 0x80;
	for (size_t i = 0, at = 0; i < 16; i++)
		at += (size_t)snprintf(out + at, SBOM_REF_SIZE - at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", h.b[i]);
	return 0;
}

void sbom_image_purl(const struct sbom *s, struct buf *out)
{
	char digest[DIGEST_STR_SIZE];
	bool first = true;

	buf_adds(out, "pkg:oci/");
	for (const char *p = text_path_name(s->name); *p != '\0'; p++) {
		char c = (char)tolower((unsigned char)*p);

		purl_encode(&c, 1, out);
	}
	buf_addf(out, "@%s", digest_str(&s->manifest, digest));
	purl_qualifier("arch", s->architecture, &first, out);
	purl_qualifier("repository_url", strchr(s->name, '/') != NULL ? s->name : NULL, &first, out);
}

void sbom_os_purl(const struct packages *p, struct buf *out)
{
	buf_adds(out, "pkg:generic/");
	purl_encode(p->os_id, strlen(p->os_id), out);
	if (p->os_version != NULL) {
		buf_addc(out, '@');
		purl_encode(p->os_version, strlen(p->os_version), out);
	}
}

const char *sbom_supplier(const struct sbom *s, const struct package *p)
{
	bool of_distribution = p->kind == PACKAGE_DEB || p->kind == PACKAGE_APK || p->kind == PACKAGE_RPM;

	if (p->supplier != NULL)
		return p->supplier;
	return of_distribution && s->packages->os_name != NULL ? s->packages->os_name : SBOM_UNKNOWN;
}

/* ---- JSON --------------------------------------------------------------------------- */

json_t *sbom_text(const char *s)
{
	return json_bytes(s, strlen(s));
}

bool sbom_set(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value) == 0;
}

bool sbom_add(json_t *array, json_t *value)
{
	return json_array_append_new(array, value) == 0;
}

/* ---- files by owner --------------------------------------------------------------------- */

void sbom_files_clear(struct sbom_files *f)
{
	free(f->v);
	free(f->start);
	*f = (struct sbom_files){0};
}

/** Who has a file: its package, or behind all packages its layer. */
static size_t holder_of(const struct sbom *s, size_t file)
{
	size_t owner = s->packages->owner[file];

	return owner != PACKAGE_NONE ? owner : s->packages->n + s->contents->v[file].layer;
}

int sbom_files_of(const struct sbom *s, struct sbom_files *ret, struct err *err)
{
	size_t holders = s->packages->n + s->nlayers, seen = 0, end = 0;
	auto_sbom_files f = { .v = calloc(s->contents->n + 1, sizeof *f.v), .start = calloc(holders + 1, sizeof *f.start) };
	auto_free size_t *next = calloc(holders + 1, sizeof *next);

	if (f.v == NULL || f.start == NULL || next == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "list an image's files");
	for (; end < s->contents->n && !f.cut; end++) {
		if (s->contents->v[end].type != TREE_FILE)
			continue;
		f.cut = ++seen > SBOM_FILES_MAX;
		if (!f.cut)
			f.start[holder_of(s, end) + 1]++;
	}
	for (size_t i = 0; i < holders; i++) {
		f.start[i + 1] += f.start[i];
		next[i] = f.start[i];
	}
	for (size_t i = 0; i < (f.cut ? end - 1 : end); i++)
		if (s->contents->v[i].type == TREE_FILE)
			f.v[next[holder_of(s, i)]++] = i;
	*ret = f;
	f = (struct sbom_files){0};
	return 0;
}

/* ---- documents ------------------------------------------------------------------------------ */

json_t *sbom_notes(const struct sbom *s)
{
	auto_json notes = json_array();

	for (size_t i = 0; i < s->packages->nnotes; i++) {
		const struct package_note *n = &s->packages->notes[i];
		auto_buf text = {0};

		buf_addf(&text, "/%s: %s", s->contents->v[n->file].path, n->why);
		if (text.failed || !sbom_add(notes, sbom_text(text.data)))
			return NULL;
	}
	if (s->packages->nnotes == PACKAGE_NOTES_MAX && !sbom_add(notes, json_string("there are more notes than are told")))
		return NULL;
	return move_ptr(notes);
}

int sbom_make(enum sbom_format format, const struct sbom *s, json_t **ret, struct err *err)
{
	static json_t *(*const make[SBOM_FORMATS])(const struct sbom *, const struct sbom_files *, const char *, const json_t *) = {
		[SBOM_CYCLONEDX] = sbom_cyclonedx, [SBOM_SPDX] = sbom_spdx,
	};
	auto_sbom_files files = {0};
	auto_json notes = NULL;
	char uuid[SBOM_REF_SIZE];

	if (sbom_files_of(s, &files, err) < 0 || sbom_uuid(s, uuid, err) < 0)
		return -1;
	notes = sbom_notes(s);
	if (notes == NULL || (files.cut && !sbom_add(notes, json_string("there are more files than are listed"))))
		return err_set(err, ERR_INTERNAL, ENOMEM, "write the bill of materials");
	json_t *made = make[format](s, &files, uuid, notes);
	if (made == NULL)
		return err_set(err, ERR_INTERNAL, 0, "write the bill of materials: a text in it is not UTF-8, or memory is short");
	*ret = made;
	return 0;
}
