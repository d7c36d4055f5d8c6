/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX 2.3 (ISO/IEC 5962 and its successor): the image is a package that contains its layers, each a package that contains those of the distribution
 * and of languages, which contain their files. What was built from is GENERATED_FROM. A package whose files are listed says so, by a code of
 * their SHA-1s, as the specification has it: no file without a SHA-1. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/licence.h"
#include "inspect/sbom_parts.h"

#define LICENCE_LIST "3.28"
#define ID_IMAGE "SPDXRef-Image"
#define ID_OS "SPDXRef-OperatingSystem"
#define ID_LAYER "SPDXRef-Layer-"
#define ID_PACKAGE "SPDXRef-Package-"
#define ID_FILE "SPDXRef-File-"
#define ID_MATERIAL "SPDXRef-Material-"

/** A document in the making. */
struct making {
	const struct sbom *s;
	const struct sbom_files *files;
	json_t *packages, *relations;   /**< lists; borrowed */
};

static bool relate(struct making *m, const char *from, const char *type, const char *to)
{
	return sbom_add(m->relations, json_pack("{s:s, s:s, s:s}", "spdxElementId", from, "relationshipType", type, "relatedSpdxElement", to));
}

/** "Organization: NAME", or SPDX's word for nobody knows: new reference. */
static json_t *supplier_text(const char *name)
{
	auto_buf text = {0};

	if (strcmp(name, SBOM_UNKNOWN) == 0)
		return json_string(SBOM_UNKNOWN);
	buf_addf(&text, "Organization: %s", name);
	return text.failed ? NULL : sbom_text(text.data);
}

static json_t *checksums(const struct digest *d)
{
	char hex[DIGEST_HEX_SIZE];

	return json_pack("[{s:s, s:s}]", "algorithm", "SHA256", "checksumValue", digest_hex(d, hex));
}

/** What all packages have. */
static json_t *package_of(const char *id, const char *name, const char *version, const char *supplier, const char *purpose)
{
	auto_json p = json_pack("{s:s, s:o, s:o, s:s, s:b, s:s, s:s, s:s, s:s*}", "SPDXID", id, "name", sbom_text(name), "supplier", supplier_text(supplier),
				"downloadLocation", SBOM_UNKNOWN, "filesAnalyzed", 0, "licenseConcluded", SBOM_UNKNOWN, "licenseDeclared", SBOM_UNKNOWN,
				"copyrightText", SBOM_UNKNOWN, "primaryPackagePurpose", purpose);

	if (version != NULL && !sbom_set(p, "versionInfo", sbom_text(version)))
		return NULL;
	return move_ptr(p);
}

static bool set_purl(json_t *p, const struct buf *purl)
{
	return !purl->failed && sbom_set(p, "externalRefs", json_pack("[{s:s, s:s, s:s}]", "referenceCategory", "PACKAGE-MANAGER", "referenceType",
								      "purl", "referenceLocator", purl->data));
}

/* ---- files ------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct sha1));
}

/** The SHA-1 of all the files' SHA-1s, in hex and in order (clause 7.9). */
static bool verification_code(const struct making *m, size_t holder, char hex[SHA1_HEX_SIZE])
{
	size_t from = m->files->start[holder], n = m->files->start[holder + 1] - from;
	auto_free struct sha1 *all = calloc(n + 1, sizeof *all);
	auto_buf text = {0};
	struct err ignored = {0};
	struct sha1 code;

	if (all == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		all[i] = m->s->contents->v[m->files->v[from + i]].sha1;
	qsort(all, n, sizeof *all, by_bytes);
	for (size_t i = 0; i < n; i++)
		buf_adds(&text, sha1_hex(&all[i], hex));
	if (text.failed || hash_sha1_bytes(text.data, text.len, &code, &ignored) < 0)
		return false;
	sha1_hex(&code, hex);
	return true;
}

/** Says of a package that its files are listed, where it has any, and lists them as its own. */
static bool set_files(struct making *m, json_t *p, const char *id, size_t holder)
{
	char hex[SHA1_HEX_SIZE], file[SBOM_REF_SIZE];

	if (m->files->start[holder] == m->files->start[holder + 1])
		return true;
	if (!verification_code(m, holder, hex) || !sbom_set(p, "filesAnalyzed", json_true()) ||
	    !sbom_set(p, "packageVerificationCode", json_pack("{s:s}", "packageVerificationCodeValue", hex)))
		return false;
	for (size_t i = m->files->start[holder]; i < m->files->start[holder + 1]; i++)
		if (!relate(m, id, "CONTAINS", sbom_ref(ID_FILE, m->files->v[i], file)))
			return false;
	return true;
}

static json_t *file_json(const struct content *f, size_t place)
{
	char id[SBOM_REF_SIZE], sha1[SHA1_HEX_SIZE], sha256[DIGEST_HEX_SIZE];
	auto_buf name = {0};

	buf_addf(&name, "./%s", f->path);
	if (name.failed)
		return NULL;
	return json_pack("{s:s, s:o, s:[{s:s, s:s}, {s:s, s:s}]}", "SPDXID", sbom_ref(ID_FILE, place, id), "fileName", sbom_text(name.data), "checksums",
			 "algorithm", "SHA1", "checksumValue", sha1_hex(&f->sha1, sha1), "algorithm", "SHA256", "checksumValue",
			 digest_hex(&f->digest, sha256));
}

static json_t *files_json(const struct making *m)
{
	auto_json list = json_array();
	size_t n = m->files->start[m->s->packages->n + m->s->nlayers];

	for (size_t i = 0; i < n; i++)
		if (!sbom_add(list, file_json(&m->s->contents->v[m->files->v[i]], m->files->v[i])))
			return NULL;
	return move_ptr(list);
}

/* ---- packages --------------------------------------------------------------------------------- */

static bool add_image(struct making *m)
{
	const struct sbom *s = m->s;
	char digest[DIGEST_STR_SIZE];
	auto_buf purl = {0};
	auto_json p = package_of(ID_IMAGE, s->name, digest_str(&s->manifest, digest), s->supplier != NULL ? s->supplier : SBOM_UNKNOWN, "CONTAINER");

	sbom_image_purl(s, &purl);
	return set_purl(p, &purl) && sbom_set(p, "checksums", checksums(&s->manifest)) && json_array_append(m->packages, p) == 0 &&
	       relate(m, "SPDXRef-DOCUMENT", "DESCRIBES", ID_IMAGE);
}

static bool add_layer(struct making *m, size_t i)
{
	const struct sbom_layer *l = &m->s->layers[i];
	char id[SBOM_REF_SIZE], name[SBOM_REF_SIZE], digest[DIGEST_STR_SIZE], diff_id[DIGEST_STR_SIZE];
	auto_buf comment = {0};

	sbom_ref(ID_LAYER, i, id);
	auto_json p = package_of(id, sbom_ref("layer-", i, name), digest_str(&l->digest, digest),
				 m->s->supplier != NULL ? m->s->supplier : SBOM_UNKNOWN, "ARCHIVE");
	buf_addf(&comment, "diff ID %s%s%s", digest_str(&l->diff_id, diff_id), l->created_by != NULL ? ", created by: " : "",
		 l->created_by != NULL ? l->created_by : "");
	return !comment.failed && sbom_set(p, "comment", sbom_text(comment.data)) && sbom_set(p, "checksums", checksums(&l->digest)) &&
	       relate(m, ID_IMAGE, "CONTAINS", id) && set_files(m, p, id, m->s->packages->n + i) && json_array_append(m->packages, p) == 0;
}

static bool add_os(struct making *m)
{
	const struct packages *all = m->s->packages;
	auto_json p = package_of(ID_OS, all->os_id, all->os_version, all->os_name != NULL ? all->os_name : all->os_id, "OPERATING_SYSTEM");
	auto_buf purl = {0};

	sbom_os_purl(all, &purl);
	return set_purl(p, &purl) && json_array_append(m->packages, p) == 0 && relate(m, ID_IMAGE, "CONTAINS", ID_OS);
}

static bool add_package(struct making *m, size_t i)
{
	const struct package *p = &m->s->packages->v[i];
	const struct content *from = &m->s->contents->v[p->from];
	char id[SBOM_REF_SIZE], other[SBOM_REF_SIZE];
	auto_buf purl = {0};
	auto_buf info = {0};

	sbom_ref(ID_PACKAGE, i, id);
	auto_json j = package_of(id, p->name, p->version != NULL ? p->version : SBOM_UNKNOWN, sbom_supplier(m->s, p),
				 p->kind == PACKAGE_DEB || p->kind == PACKAGE_APK || p->kind == PACKAGE_RPM ? NULL : "LIBRARY");
	package_purl(m->s->packages, p, &purl);
	buf_addf(&info, "%s by /%s", p->listed ? "listed" : "installed", from->path);
	if (info.failed || !set_purl(j, &purl) || !sbom_set(j, "sourceInfo", sbom_text(info.data)) ||
	    (p->licence != NULL && !sbom_set(j, "licenseDeclared", json_string(p->licence))))
		return false;
	if (!relate(m, sbom_ref(ID_LAYER, from->layer, other), "CONTAINS", id))
		return false;
	for (size_t k = 0; k < p->nneeds; k++)
		if (!relate(m, id, "DEPENDS_ON", sbom_ref(ID_PACKAGE, p->needs[k], other)))
			return false;
	return set_files(m, j, id, i) && json_array_append(m->packages, j) == 0;
}

static bool add_material(struct making *m, size_t i)
{
	const struct sbom_material *t = &m->s->materials[i];
	char id[SBOM_REF_SIZE];

	sbom_ref(ID_MATERIAL, i, id);
	auto_json p = package_of(id, t->name, t->commit, SBOM_UNKNOWN, t->is_tool ? "OTHER" : "SOURCE");
	if (p == NULL || !sbom_set(p, "checksums", checksums(&t->digest)) || !sbom_set(p, "sourceInfo", sbom_text(t->uri)) ||
	    json_array_append(m->packages, p) < 0)
		return false;
	return t->is_tool ? relate(m, id, "BUILD_TOOL_OF", ID_IMAGE) : relate(m, ID_IMAGE, "GENERATED_FROM", id);
}

static bool add_packages(struct making *m)
{
	if (!add_image(m) || (m->s->packages->os_id != NULL && !add_os(m)))
		return false;
	for (size_t i = 0; i < m->s->nlayers; i++)
		if (!add_layer(m, i))
			return false;
	for (size_t i = 0; i < m->s->packages->n; i++)
		if (!add_package(m, i))
			return false;
	for (size_t i = 0; i < m->s->nmaterials; i++)
		if (!add_material(m, i))
			return false;
	return true;
}

/* ---- licences that are on no list --------------------------------------------------------------- */

/** Adds what an expression refers to, once each; @p seen has what is there. */
static bool add_references(json_t *list, json_t *seen, const char *expression)
{
	const char *p = expression;

	while ((p = strstr(p, LICENCE_REF)) != NULL) {
		size_t n = strcspn(p, " ()+");
		auto_free char *id = strndup(p, n);

		if (id == NULL)
			return false;
		if (json_object_get(seen, id) == NULL &&
		    (!sbom_set(seen, id, json_true()) ||
		     !sbom_add(list, json_pack("{s:s, s:s, s:s}", "licenseId", id, "name", id + strlen(LICENCE_REF), "extractedText",
					       "Packages name this licence in their metadata; it is on no list of SPDX's. Its text, where there is one, is in the image."))))
			return false;
		p += n;
	}
	return true;
}

static json_t *references_json(const struct packages *all)
{
	auto_json list = json_array();
	auto_json seen = json_object();

	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].licence != NULL && !add_references(list, seen, all->v[i].licence))
			return NULL;
	return move_ptr(list);
}

/* ---- the document ----------------------------------------------------------------------------------- */

static json_t *creation(const struct sbom *s)
{
	char when[32];
	auto_buf tool = {0};

	buf_addf(&tool, "Tool: glovebox-%s", s->version);
	auto_json creators = json_pack("[s]", tool.failed ? NULL : tool.data);
	if (creators == NULL || (s->author != NULL && !sbom_add(creators, supplier_text(s->author))))
		return NULL;
	return json_pack("{s:s, s:O, s:s}", "created", text_time(s->created, when), "creators", creators, "licenseListVersion", LICENCE_LIST);
}

/** Why the list is not complete, in one text. */
static bool set_comment(json_t *doc, const json_t *notes)
{
	auto_buf text = {0};
	size_t i;
	json_t *note;

	if (json_array_size(notes) == 0)
		return true;
	buf_adds(&text, "This list is not complete.");
	json_array_foreach((json_t *)notes, i, note)
		buf_addf(&text, "\n%s", json_string_value(note));
	return !text.failed && sbom_set(doc, "comment", json_string(text.data));
}

json_t *sbom_spdx(const struct sbom *s, const struct sbom_files *files, const char *uuid, const json_t *notes)
{
	auto_json packages = json_array();
	auto_json relations = json_array();
	auto_json references = references_json(s->packages);
	struct making m = { s, files, packages, relations };
	auto_buf space = {0};

	buf_addf(&space, "https://glovebox.dev/spdx/%s", uuid);
	if (references == NULL || space.failed || !add_packages(&m))
		return NULL;
	auto_json doc = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:O, s:o, s:O}", "spdxVersion", "SPDX-2.3", "dataLicense", "CC0-1.0", "SPDXID",
				  "SPDXRef-DOCUMENT", "name", s->name, "documentNamespace", space.data, "creationInfo", creation(s), "packages", packages,
				  "files", files_json(&m), "relationships", relations);
	if ((json_array_size(references) > 0 && json_object_set(doc, "hasExtractedLicensingInfos", references) < 0) || !set_comment(doc, notes))
		return NULL;
	return move_ptr(doc);
}
