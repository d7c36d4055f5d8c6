/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/lock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "spec/schema.h"
#include "spec/yaml.h"

/** Begins the last line. */
#define CHECKSUM "checksum: \""

void spec_lock_clear(struct spec_lock *lock)
{
	for (size_t i = 0; i < lock->n; i++) {
		free(lock->v[i].at);
		free(lock->v[i].rootfs);
		free(lock->v[i].commit);
	}
	free(lock->v);
	*lock = (struct spec_lock){0};
}

static int no_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, ENOMEM, "read a lock");
}

/* ---- what a spec leaves open ------------------------------------------------------- */

/** Adds one: @p what and @p of, which are what the spec says there. The array has room. */
static int want(struct spec_lock *lock, enum spec_pin_kind kind, size_t source, const char *name, const char *what, const char *of,
		struct err *err)
{
	struct spec_pin *pin = &lock->v[lock->n];
	auto_buf asks = {0};

	*pin = (struct spec_pin){ .kind = kind, .source = source };
	if (asprintf(&pin->at, "%s%s", kind == SPEC_PIN_ROOTFS ? "" : "sources.", name) < 0) {
		pin->at = NULL;
		return no_memory(err);
	}
	lock->n++;
	buf_addf(&asks, "%d\n%s\n%s\n", (int)kind, what, of);
	return buf_check(&asks, "lock", err) < 0 ? -1 : hash_bytes(asks.data, asks.len, &pin->asks, err);
}

static int want_rootfs(const struct spec *spec, struct spec_lock *lock, struct err *err)
{
	if (spec->rootfs_ref != NULL)
		return strchr(spec->rootfs_ref, ':') != NULL
			       ? 0 : want(lock, SPEC_PIN_ROOTFS, 0, "rootfs", "ref", spec->rootfs_ref, err);
	if (spec->language == NULL)
		return 0;
	return want(lock, SPEC_PIN_ROOTFS, 0, "rootfs", spec->language, spec->runtime_version == NULL ? "" : spec->runtime_version, err);
}

int spec_lock_wants(const struct spec *spec, struct spec_lock *ret, struct err *err)
{
	auto_spec_lock lock = { .v = calloc(spec->nsources + 1, sizeof *lock.v) };

	if (lock.v == NULL)
		return no_memory(err);
	if (want_rootfs(spec, &lock, err) < 0)
		return -1;
	for (size_t i = 0; i < spec->nsources; i++) {
		const struct spec_source *s = &spec->sources[i];

		if (s->url != NULL && s->digest == NULL && want(&lock, SPEC_PIN_FILE, i, s->name, "url", s->url, err) < 0)
			return -1;
		if (s->git_ref != NULL && want(&lock, SPEC_PIN_COMMIT, i, s->name, s->git_url, s->git_ref, err) < 0)
			return -1;
	}
	*ret = lock;
	lock = (struct spec_lock){0};
	return 0;
}

/* ---- writing ------------------------------------------------------------------------- */

int spec_lock_write(const struct spec_lock *lock, struct buf *out, struct err *err)
{
	char digest[DIGEST_STR_SIZE];
	struct digest sum;
	auto_buf text = {0};

	buf_adds(&text, "# Made by glovebox lock. What is changed by hand is refused.\nschema: " SPEC_LOCK_SCHEMA "\n");
	buf_adds(&text, lock->n == 0 ? "pins: []\n" : "pins:\n");
	for (size_t i = 0; i < lock->n; i++) {
		const struct spec_pin *pin = &lock->v[i];

		buf_addf(&text, "  - at: \"%s\"\n    asks: \"%s\"\n", pin->at, digest_str(&pin->asks, digest));
		switch (pin->kind) {
		case SPEC_PIN_ROOTFS:
			buf_addf(&text, "    rootfs: \"%s\"\n", pin->rootfs);
			break;
		case SPEC_PIN_FILE:
			buf_addf(&text, "    digest: \"%s\"\n    size: %" PRIu64 "\n", digest_str(&pin->digest, digest), pin->size);
			break;
		case SPEC_PIN_COMMIT:
			buf_addf(&text, "    commit: \"%s\"\n", pin->commit);
			break;
		}
	}
	if (buf_check(&text, "lock", err) < 0 || hash_bytes(text.data, text.len, &sum, err) < 0)
		return -1;
	buf_addf(&text, CHECKSUM "%s\"\n", digest_str(&sum, digest));
	buf_add(out, text.data, text.len);
	return buf_check(out, "lock", err);
}

/* ---- reading -------------------------------------------------------------------------- */

/** A lock being read. */
struct reading {
	const char *file;
	struct spec_lock *lock;
	struct err *err;
};

static struct spec_pos start(void)
{
	return (struct spec_pos){ 1, 1 };
}

/** The last line is the digest of all lines above it, to the byte: then nobody's hand was in it. */
static int check_sum(const struct reading *r, const char *text, size_t n)
{
	static const size_t tail = sizeof CHECKSUM - 1 + DIGEST_STR_SIZE - 1 + 2;
	char stated[DIGEST_STR_SIZE];
	struct digest want, have;
	struct spec_pos pos = { 1, 1 };

	for (size_t i = 0; i + 1 < n; i++)
		pos.line += text[i] == '\n';
	if (n < tail || memcmp(text + n - tail, CHECKSUM, sizeof CHECKSUM - 1) != 0 || memcmp(text + n - 2, "\"\n", 2) != 0)
		return yaml_error(r->file, pos, r->err, "the last line is not the checksum: run 'glovebox lock' again");
	memcpy(stated, text + n - tail + sizeof CHECKSUM - 1, sizeof stated - 1);
	stated[sizeof stated - 1] = '\0';
	if (hash_bytes(text, n - tail, &have, r->err) < 0)
		return -1;
	if (!digest_parse(stated, &want) || !digest_eq(&want, &have))
		return yaml_error(r->file, pos, r->err, "the lines above were changed by hand, or damaged: run 'glovebox lock' again");
	return 0;
}

/** A scalar member of a map; NULL, with the error, where it is none. */
static const char *member(const struct reading *r, const struct node *map, const char *key)
{
	const struct node *node = node_get(map, key);

	if (node != NULL && node->kind == NODE_SCALAR)
		return node->text;
	(void)yaml_error(r->file, map->pos, r->err, "'%s' is missing, or no single value: run 'glovebox lock' again", key);
	return NULL;
}

static int malformed(const struct reading *r, const struct node *at, const char *key)
{
	return yaml_error(r->file, node_get(at, key)->pos, r->err, "'%s' is malformed: run 'glovebox lock' again", key);
}

static int copy(const struct reading *r, const char *from, char **to)
{
	*to = strdup(from);
	return *to == NULL ? no_memory(r->err) : 0;
}

/** What the pin of one kind has. */
static int read_pinned(const struct reading *r, const struct node *node, struct spec_pin *pin)
{
	static const char *const keys[] = { [SPEC_PIN_ROOTFS] = "rootfs", [SPEC_PIN_FILE] = "digest", [SPEC_PIN_COMMIT] = "commit" };
	const char *key = keys[pin->kind], *value = member(r, node, key), *size;

	if (value == NULL)
		return -1;
	switch (pin->kind) {
	case SPEC_PIN_ROOTFS:
		return schema_form_ok(&form_rootfs, value) && strchr(value, '@') != NULL ? copy(r, value, &pin->rootfs) : malformed(r, node, key);
	case SPEC_PIN_COMMIT:
		return schema_form_ok(&form_commit, value) ? copy(r, value, &pin->commit) : malformed(r, node, key);
	case SPEC_PIN_FILE:
		break;
	}
	if (!digest_parse(value, &pin->digest))
		return malformed(r, node, key);
	size = member(r, node, "size");
	if (size == NULL)
		return -1;
	if (strlen(size) > 18 || scalar_kind(size) != SCALAR_INT || size[0] == '-')
		return malformed(r, node, "size");
	pin->size = strtoull(size, NULL, 10);
	return 0;
}

/** One entry, which has to be for the next thing that the spec leaves open. */
static int read_pin(const struct reading *r, const struct node *node, struct spec_pin *pin)
{
	const char *at = member(r, node, "at"), *asks = at == NULL ? NULL : member(r, node, "asks");
	struct digest digest;

	if (asks == NULL)
		return -1;
	if (!digest_parse(asks, &digest))
		return malformed(r, node, "asks");
	pin->pos = node->pos;
	if (strcmp(at, pin->at) != 0 || !digest_eq(&digest, &pin->asks))
		return yaml_error(r->file, node->pos, r->err, "stale: the spec says something else at '%s' now: run 'glovebox lock' again",
				  strcmp(at, pin->at) == 0 ? at : pin->at);
	return read_pinned(r, node, pin);
}

static int read_pins(const struct reading *r, const struct node *root)
{
	const struct node *pins = node_get(root, "pins"), *node;
	size_t i = 0;

	if (pins == NULL || pins->kind != NODE_LIST)
		return yaml_error(r->file, start(), r->err, "'pins' is missing, or no list: run 'glovebox lock' again");
	for (node = pins->first; node != NULL; node = node->next, i++) {
		if (node->kind != NODE_MAP)
			return yaml_error(r->file, node->pos, r->err, "not a mapping: run 'glovebox lock' again");
		if (i == r->lock->n)
			return yaml_error(r->file, node->pos, r->err, "stale: the spec does not leave this open: run 'glovebox lock' again");
		if (read_pin(r, node, &r->lock->v[i]) < 0)
			return -1;
	}
	if (i < r->lock->n)
		return yaml_error(r->file, pins->pos, r->err, "stale: '%s' of the spec is not pinned: run 'glovebox lock' again",
				  r->lock->v[i].at);
	return 0;
}

int spec_lock_parse(const char *file, const char *text, size_t n, const struct spec *spec, struct spec_lock *ret, struct err *err)
{
	auto_spec_lock lock = {0};
	auto_node root = NULL;
	struct reading r = { file, &lock, err };
	const char *schema;

	if (n == 0 || check_sum(&r, text, n) < 0)
		return n == 0 ? yaml_error(file, start(), err, "empty: run 'glovebox lock' again") : -1;
	if (yaml_read(file, text, n, &root, err) < 0 || spec_lock_wants(spec, &lock, err) < 0)
		return -1;
	if (root->kind != NODE_MAP)
		return yaml_error(file, start(), err, "not a mapping: run 'glovebox lock' again");
	schema = member(&r, root, "schema");
	if (schema == NULL)
		return -1;
	if (strcmp(schema, SPEC_LOCK_SCHEMA) != 0)
		return yaml_error(file, node_get(root, "schema")->pos, err, "of another schema than %s", SPEC_LOCK_SCHEMA);
	if (read_pins(&r, root) < 0)
		return -1;
	*ret = lock;
	lock = (struct spec_lock){0};
	return 0;
}
