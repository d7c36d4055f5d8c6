/* SPDX-License-Identifier: Apache-2.0 */
/* CycloneDX 1.6 (ECMA-424): packages are components of the image, with their files in them; layers and files that no package owns stand beside them.
 * What the image is made of, and what needs what, is the graph of dependencies; what it was built from, the formulation. */
#include <string.h>

#include "inspect/licence.h"
#include "inspect/sbom_parts.h"

/** A list of one hash. */
static json_t *hashes(const struct digest *d)
{
	char hex[DIGEST_HEX_SIZE];

	return json_pack("[{s:s, s:s}]", "alg", "SHA-256", "content", digest_hex(d, hex));
}

static json_t *property(const char *name, const char *value)
{
	return json_pack("{s:s, s:o}", "name", name, "value", sbom_text(value));
}

/* ---- components --------------------------------------------------------------------- */

/** @p ref NULL: nothing refers to it. */
static json_t *file_component(const struct content *f, const char *ref)
{
	return json_pack("{s:s, s:o, s:o, s:s*}", "type", "file", "name", sbom_text(f->path), "hashes", hashes(&f->digest), "bom-ref", ref);
}

/** The files of a holder as components. */
static json_t *owned_components(const struct sbom *s, const struct sbom_files *files, size_t holder)
{
	auto_json list = json_array();

	for (size_t i = files->start[holder]; i < files->start[holder + 1]; i++)
		if (!sbom_add(list, file_component(&s->contents->v[files->v[i]], NULL)))
			return NULL;
	return move_ptr(list);
}

static json_t *licences(const char *expression)
{
	/* The list says "expression" or licences, not both; one licence alone is told by its identifier, which more tools read. */
	if (licence_is_id(expression))
		return json_pack("[{s:{s:s}}]", "license", "id", expression);
	return json_pack("[{s:s}]", "expression", expression);
}

/** npm's scope is the group. */
static bool set_name(json_t *c, const struct package *p)
{
	const char *slash = p->kind == PACKAGE_NPM && p->name[0] == '@' ? strchr(p->name, '/') : NULL;
	auto_free char *group = slash == NULL ? NULL : strndup(p->name, (size_t)(slash - p->name));

	if (slash == NULL)
		return sbom_set(c, "name", sbom_text(p->name));
	return group != NULL && sbom_set(c, "group", sbom_text(group)) && sbom_set(c, "name", sbom_text(slash + 1));
}

static json_t *package_component(const struct sbom *s, const struct sbom_files *files, size_t i)
{
	const struct package *p = &s->packages->v[i];
	const struct content *from = &s->contents->v[p->from];
	char ref[SBOM_REF_SIZE];
	auto_buf purl = {0};
	auto_json owned = owned_components(s, files, i);
	auto_json c = json_pack("{s:s, s:s, s:{s:o}, s:{s:[{s:o}]}}", "type", "library", "bom-ref", sbom_ref("package-", i, ref), "supplier",
				"name", sbom_text(sbom_supplier(s, p)), "evidence", "occurrences", "location", sbom_text(from->path));

	package_purl(s->packages, p, &purl);
	if (purl.failed || owned == NULL || !set_name(c, p) || !sbom_set(c, "purl", json_string(purl.data)) ||
	    !sbom_set(c, "version", sbom_text(p->version != NULL ? p->version : SBOM_UNKNOWN)) ||
	    (p->licence != NULL && !sbom_set(c, "licenses", licences(p->licence))) ||
	    (json_array_size(owned) > 0 && json_object_set(c, "components", owned) < 0) ||
	    (p->listed && !sbom_set(c, "properties", json_pack("[o]", property("glovebox:found", "lock file")))))
		return NULL;
	return move_ptr(c);
}

static json_t *os_component(const struct packages *p)
{
	auto_json c = json_pack("{s:s, s:s, s:o, s:{s:o}}", "type", "operating-system", "bom-ref", "os", "name", sbom_text(p->os_id), "supplier",
				"name", sbom_text(p->os_name != NULL ? p->os_name : p->os_id));
	auto_buf purl = {0};

	sbom_os_purl(p, &purl);
	if (purl.failed || !sbom_set(c, "purl", json_string(purl.data)))
		return NULL;
	if (p->os_version != NULL && !sbom_set(c, "version", sbom_text(p->os_version)))
		return NULL;
	return move_ptr(c);
}

static json_t *layer_component(const struct sbom *s, size_t i)
{
	const struct sbom_layer *l = &s->layers[i];
	char ref[SBOM_REF_SIZE], digest[DIGEST_STR_SIZE], diff_id[DIGEST_STR_SIZE];
	auto_json properties = json_array();
	auto_json c = json_pack("{s:s, s:s, s:s, s:s, s:o, s:{s:s}, s:s*}", "type", "data", "bom-ref", sbom_ref("layer-", i, ref), "name", ref,
				"version", digest_str(&l->digest, digest), "hashes", hashes(&l->digest), "supplier", "name",
				s->supplier != NULL ? s->supplier : SBOM_UNKNOWN, "mime-type", l->media_type);

	if (!sbom_add(properties, property("glovebox:layer:diffId", digest_str(&l->diff_id, diff_id))) ||
	    (l->created_by != NULL && !sbom_add(properties, property("glovebox:layer:createdBy", l->created_by))) ||
	    json_object_set(c, "properties", properties) < 0)
		return NULL;
	return move_ptr(c);
}

static json_t *components(const struct sbom *s, const struct sbom_files *files)
{
	auto_json list = json_array();
	char ref[SBOM_REF_SIZE];

	if (s->packages->os_id != NULL && !sbom_add(list, os_component(s->packages)))
		return NULL;
	for (size_t i = 0; i < s->nlayers; i++)
		if (!sbom_add(list, layer_component(s, i)))
			return NULL;
	for (size_t i = 0; i < s->packages->n; i++)
		if (!sbom_add(list, package_component(s, files, i)))
			return NULL;
	for (size_t i = files->start[s->packages->n]; i < files->start[s->packages->n + s->nlayers]; i++)
		if (!sbom_add(list, file_component(&s->contents->v[files->v[i]], sbom_ref("file-", files->v[i], ref))))
			return NULL;
	return move_ptr(list);
}

/* ---- what is in what, and needs what ------------------------------------------------------ */

static bool add_dependency(json_t *list, const char *ref, const json_t *on)
{
	return on != NULL && sbom_add(list, json_array_size(on) == 0 ? json_pack("{s:s}", "ref", ref)
								     : json_pack("{s:s, s:O}", "ref", ref, "dependsOn", on));
}

static bool add_ref(json_t *list, const char *prefix, size_t n)
{
	char ref[SBOM_REF_SIZE];

	return sbom_add(list, json_string(sbom_ref(prefix, n, ref)));
}

static bool add_image(const struct sbom *s, json_t *list)
{
	auto_json on = json_array();

	if (s->packages->os_id != NULL && !sbom_add(on, json_string("os")))
		return false;
	for (size_t i = 0; i < s->nlayers; i++)
		if (!add_ref(on, "layer-", i))
			return false;
	return add_dependency(list, "image", on);
}

/** What a layer brings: packages, by the file that tells of them, and files of none. */
static bool add_layers(const struct sbom *s, const struct sbom_files *files, json_t *list)
{
	char ref[SBOM_REF_SIZE];

	for (size_t i = 0; i < s->nlayers; i++) {
		auto_json on = json_array();

		for (size_t k = 0; k < s->packages->n; k++)
			if (s->contents->v[s->packages->v[k].from].layer == i && !add_ref(on, "package-", k))
				return false;
		for (size_t k = files->start[s->packages->n + i]; k < files->start[s->packages->n + i + 1]; k++)
			if (!add_ref(on, "file-", files->v[k]))
				return false;
		if (!add_dependency(list, sbom_ref("layer-", i, ref), on))
			return false;
	}
	return true;
}

static json_t *dependencies(const struct sbom *s, const struct sbom_files *files)
{
	auto_json list = json_array();
	char ref[SBOM_REF_SIZE];

	if (!add_image(s, list) || !add_layers(s, files, list))
		return NULL;
	for (size_t i = 0; i < s->packages->n; i++) {
		const struct package *p = &s->packages->v[i];
		auto_json on = json_array();

		for (size_t k = 0; k < p->nneeds; k++)
			if (!add_ref(on, "package-", p->needs[k]))
				return NULL;
		if (!add_dependency(list, sbom_ref("package-", i, ref), on))
			return NULL;
	}
	return move_ptr(list);
}

/* ---- the document --------------------------------------------------------------------------- */

static json_t *material(const struct sbom_material *m, size_t i)
{
	char ref[SBOM_REF_SIZE];
	auto_json properties = json_pack("[o]", property("glovebox:uri", m->uri));

	if (m->commit != NULL && !sbom_add(properties, property("glovebox:gitCommit", m->commit)))
		return NULL;
	return json_pack("{s:s, s:s, s:o, s:o, s:O}", "type", m->is_tool ? "platform" : "data", "bom-ref", sbom_ref("material-", i, ref), "name",
			 sbom_text(m->name), "hashes", hashes(&m->digest), "properties", properties);
}

static json_t *formulation(const struct sbom *s)
{
	auto_json list = json_array();

	for (size_t i = 0; i < s->nmaterials; i++)
		if (!sbom_add(list, material(&s->materials[i], i)))
			return NULL;
	return json_pack("[{s:s, s:O}]", "bom-ref", "build", "components", list);
}

static json_t *metadata(const struct sbom *s)
{
	char when[32], digest[DIGEST_STR_SIZE];
	const char *supplier = s->supplier != NULL ? s->supplier : SBOM_UNKNOWN;
	auto_buf purl = {0};

	sbom_image_purl(s, &purl);
	if (purl.failed)
		return NULL;
	return json_pack("{s:s, s:[{s:s}], s:{s:[{s:s, s:s, s:s}]}, s:[{s:s}], s:{s:s}, s:{s:s, s:s, s:s, s:s, s:s, s:o, s:{s:s}}}",
			 "timestamp", text_time(s->created, when), "lifecycles", "phase", "build",
			 "tools", "components", "type", "application", "name", "glovebox", "version", s->version,
			 "authors", "name", s->author != NULL ? s->author : "glovebox", "supplier", "name", supplier,
			 "component", "type", "container", "bom-ref", "image", "name", s->name, "version", digest_str(&s->manifest, digest),
			 "purl", purl.data, "hashes", hashes(&s->manifest), "supplier", "name", supplier);
}

static json_t *note_properties(const json_t *notes)
{
	auto_json list = json_array();
	size_t i;
	json_t *note;

	json_array_foreach((json_t *)notes, i, note)
		if (!sbom_add(list, json_pack("{s:s, s:O}", "name", "glovebox:incomplete", "value", note)))
			return NULL;
	return move_ptr(list);
}

json_t *sbom_cyclonedx(const struct sbom *s, const struct sbom_files *files, const char *uuid, const json_t *notes)
{
	char urn[SBOM_REF_SIZE + 16];
	bool complete = json_array_size(notes) == 0;

	snprintf(urn, sizeof urn, "urn:uuid:%s", uuid);
	auto_json doc = json_pack("{s:s, s:s, s:s, s:s, s:i, s:o, s:o, s:o, s:[{s:s, s:[s]}]}",
				  "$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat", "CycloneDX", "specVersion", "1.6",
				  "serialNumber", urn, "version", 1, "metadata", metadata(s), "components", components(s, files),
				  "dependencies", dependencies(s, files),
				  "compositions", "aggregate", complete ? "complete" : "incomplete", "assemblies", "image");

	if ((s->nmaterials > 0 && !sbom_set(doc, "formulation", formulation(s))) ||
	    (!complete && !sbom_set(doc, "properties", note_properties(notes))))
		return NULL;
	return move_ptr(doc);
}
