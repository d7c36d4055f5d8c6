/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/verify_policy.h"

#include <errno.h>
#include <string.h>

#define API_VERSION "platform.build/v1"
#define KIND "VerifyPolicy"

/** A reading: where to complain, and what is filled in. */
struct reading {
	const char *file;
	struct verify_policy *p;
	struct err *err;
};

void verify_policy_clear(struct verify_policy *p)
{
	free(p->keys);
	free(p->require);
	free(p->builders);
	free(p->sources);
	free(p->params);
	free(p->rootfs);
	free(p->profiles);
	node_free(p->root);
	*p = (struct verify_policy){0};
}

static int no_memory(const struct reading *r)
{
	return err_set(r->err, ERR_INTERNAL, ENOMEM, "%s: reading the policy", r->file);
}

/** A scalar that is text and nothing else to any reader of YAML. */
static int read_text(const struct reading *r, const struct node *n, const char **ret)
{
	if (n->kind != NODE_SCALAR || n->text[0] == '\0' || (n->plain && scalar_kind(n->text) != SCALAR_STRING))
		return yaml_error(r->file, n->pos, r->err, "a text is needed here; in quotes, if it looks like something else");
	*ret = n->text;
	return 0;
}

/** A scalar that must be one of a few words. */
static int read_word(const struct reading *r, const struct node *n, const char *word)
{
	char q[QUOTE_SIZE];

	if (n->kind == NODE_SCALAR && strcmp(n->text, word) == 0)
		return 0;
	return yaml_error(r->file, n->pos, r->err, "%s: it can only be '%s' here, not %s", n->key, word,
			  n->kind == NODE_SCALAR ? quote(q, n->text) : "a list or a mapping");
}

/** A list that says something: one that is empty would look as if nothing were allowed, and ask nothing. */
static int check_list(const struct reading *r, const struct node *n, enum node_kind kind)
{
	if (n->kind != kind)
		return yaml_error(r->file, n->pos, r->err, "%s: must be a %s", n->key, kind == NODE_LIST ? "list" : "mapping");
	if (n->n == 0)
		return yaml_error(r->file, n->pos, r->err, "%s: is empty; add an entry or remove the key", n->key);
	return 0;
}

/** A list of texts. */
static int read_texts(const struct reading *r, const struct node *n, const char ***ret, size_t *ret_n)
{
	if (check_list(r, n, NODE_LIST) < 0)
		return -1;
	*ret = calloc(n->n, sizeof **ret);
	if (*ret == NULL)
		return no_memory(r);
	for (const struct node *item = n->first; item != NULL; item = item->next)
		if (read_text(r, item, &(*ret)[(*ret_n)++]) < 0)
			return -1;
	return 0;
}

static int read_digests(const struct reading *r, const struct node *n, struct digest **ret, size_t *ret_n)
{
	const char *text;

	if (check_list(r, n, NODE_LIST) < 0)
		return -1;
	*ret = calloc(n->n, sizeof **ret);
	if (*ret == NULL)
		return no_memory(r);
	for (const struct node *item = n->first; item != NULL; item = item->next) {
		if (read_text(r, item, &text) < 0)
			return -1;
		if (!digest_parse(text, &(*ret)[(*ret_n)++]))
			return yaml_error(r->file, item->pos, r->err, "%s: a digest is written as sha256: and 64 lower-case hex digits", n->key);
	}
	return 0;
}

/** A whole number from 1 to @p max. */
static int read_number(const struct reading *r, const struct node *n, unsigned max, unsigned *ret)
{
	unsigned long v = n->kind == NODE_SCALAR && n->plain && scalar_kind(n->text) == SCALAR_INT && strlen(n->text) < 9
		? strtoul(n->text, NULL, 10) : 0;

	if (v < 1 || v > max)
		return yaml_error(r->file, n->pos, r->err, "%s: must be a number from 1 to %u", n->key, max);
	*ret = (unsigned)v;
	return 0;
}

static int read_version(const struct reading *r, const struct node *n)
{
	return read_word(r, n, API_VERSION);
}

static int read_kind(const struct reading *r, const struct node *n)
{
	return read_word(r, n, KIND);
}

static int read_keys(const struct reading *r, const struct node *n)
{
	return read_texts(r, n, &r->p->keys, &r->p->nkeys);
}

static int read_threshold(const struct reading *r, const struct node *n)
{
	return read_number(r, n, SPEC_ENTRIES_MAX, &r->p->threshold);
}

static int read_builder(const struct reading *r, const struct node *n, struct attest_builder *ret)
{
	const struct node *id = node_get(n, "id"), *level = node_get(n, "level");

	ret->level = 1;
	if (n->kind == NODE_SCALAR)
		return read_text(r, n, &ret->id);
	if (n->kind != NODE_MAP || id == NULL || n->n != 1 + (size_t)(level != NULL))
		return yaml_error(r->file, n->pos, r->err, "builders: each is an id, or a mapping of id and level");
	return read_text(r, id, &ret->id) < 0 ? -1 : level != NULL ? read_number(r, level, 3, &ret->level) : 0;
}

static int read_builders(const struct reading *r, const struct node *n)
{
	struct verify_policy *p = r->p;
	char q[QUOTE_SIZE];

	if (check_list(r, n, NODE_LIST) < 0)
		return -1;
	p->builders = calloc(n->n, sizeof *p->builders);
	if (p->builders == NULL)
		return no_memory(r);
	for (const struct node *item = n->first; item != NULL; item = item->next) {
		struct attest_builder *b = &p->builders[p->asks.nbuilders];

		if (read_builder(r, item, b) < 0)
			return -1;
		/* Of two levels of one builder whoever reads this may mean the other. */
		for (size_t i = 0; i < p->asks.nbuilders; i++)
			if (strcmp(p->builders[i].id, b->id) == 0)
				return yaml_error(r->file, item->pos, r->err, "builders: %s is there twice; remove one of them", quote(q, b->id));
		p->asks.nbuilders++;
	}
	return 0;
}

static int read_sources(const struct reading *r, const struct node *n)
{
	return read_texts(r, n, &r->p->sources, &r->p->asks.nsources);
}

/** Parameters are compared as text: a number too, as --param does. */
static int read_parameters(const struct reading *r, const struct node *n)
{
	struct verify_policy *p = r->p;

	if (check_list(r, n, NODE_MAP) < 0)
		return -1;
	p->params = calloc(n->n, sizeof *p->params);
	if (p->params == NULL)
		return no_memory(r);
	for (const struct node *item = n->first; item != NULL; item = item->next) {
		if (item->kind != NODE_SCALAR)
			return yaml_error(r->file, item->pos, r->err, "%s: must be a single value; name a parameter by its dotted path", item->key);
		p->params[p->asks.nparams++] = (struct oci_kv){ item->key, item->text };
	}
	return 0;
}

static int read_rootfs(const struct reading *r, const struct node *n)
{
	return read_digests(r, n, &r->p->rootfs, &r->p->asks.nrootfs);
}

static int read_profiles(const struct reading *r, const struct node *n)
{
	return read_digests(r, n, &r->p->profiles, &r->p->asks.nprofiles);
}

static int read_network(const struct reading *r, const struct node *n)
{
	r->p->asks.network_none = true;
	return read_word(r, n, "none");
}

static int read_complete(const struct reading *r, const struct node *n)
{
	r->p->asks.complete = true;
	return read_word(r, n, "true");
}

static int read_tests(const struct reading *r, const struct node *n)
{
	r->p->tests_passed = true;
	return read_word(r, n, "passed");
}

static int read_require(const struct reading *r, const struct node *n)
{
	char q[QUOTE_SIZE];

	if (read_texts(r, n, &r->p->require, &r->p->nrequire) < 0)
		return -1;
	for (const struct node *item = n->first; item != NULL; item = item->next)
		if (!attest_knows_kind(item->text))
			return yaml_error(r->file, item->pos, r->err, "require: %s is no kind of attestation: provenance, sbom, svr, test-result, "
					  "vsa, vulns, or a predicate type (a URI)", quote(q, item->text));
	return 0;
}

static int read_max_age(const struct reading *r, const struct node *n)
{
	uint64_t ms;

	if (n->kind != NODE_SCALAR || !text_parse_duration(n->text, &ms) || ms < 1000)
		return yaml_error(r->file, n->pos, r->err, "maxAge: must be a time of a second or more, such as 720h");
	r->p->asks.max_age = (int64_t)(ms / 1000);
	return 0;
}

static const struct field {
	const char *name;
	int (*read)(const struct reading *r, const struct node *n);
	bool required;
} fields[] = {
	{ "apiVersion", read_version, true },
	{ "builders", read_builders },
	{ "complete", read_complete },
	{ "keys", read_keys },
	{ "kind", read_kind, true },
	{ "maxAge", read_max_age },
	{ "network", read_network },
	{ "parameters", read_parameters },
	{ "profiles", read_profiles },
	{ "require", read_require },
	{ "rootfs", read_rootfs },
	{ "sources", read_sources },
	{ "tests", read_tests },
	{ "threshold", read_threshold },
};

static int unknown_key(const struct reading *r, const struct node *n)
{
	const char *names[ARRAY_LEN(fields) + 1] = {0};
	auto_buf known = {0};
	char q[QUOTE_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		names[i] = fields[i].name;
	const char *near = text_did_you_mean(n->key, names);
	if (near != NULL)
		return yaml_error(r->file, n->key_pos, r->err, "unknown key %s; did you mean '%s'?", quote(q, n->key), near);
	text_words(&known, names, "and");
	return known.failed ? no_memory(r) : yaml_error(r->file, n->key_pos, r->err, "unknown key %s; known are %s", quote(q, n->key), known.data);
}

static int read_field(const struct reading *r, const struct node *n)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (strcmp(fields[i].name, n->key) == 0)
			return fields[i].read(r, n);
	return unknown_key(r, n);
}

/** What keys say together. */
static int check_whole(const struct reading *r, const struct node *root)
{
	const struct node *threshold = node_get(root, "threshold");

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].required && node_get(root, fields[i].name) == NULL)
			return yaml_error(r->file, root->pos, r->err, "%s is missing", fields[i].name);
	if (threshold != NULL && r->p->nkeys != 0 && r->p->threshold > r->p->nkeys)
		return yaml_error(r->file, threshold->pos, r->err, "threshold: %u of %zu keys can never be reached", r->p->threshold, r->p->nkeys);
	return 0;
}

static int read_root(const struct reading *r, const struct node *root)
{
	if (root->kind != NODE_MAP)
		return yaml_error(r->file, root->pos, r->err, "a policy is a mapping that begins with apiVersion: " API_VERSION);
	for (const struct node *n = root->first; n != NULL; n = n->next)
		if (read_field(r, n) < 0)
			return -1;
	return check_whole(r, root);
}

int verify_policy_read(const char *file, const char *text, size_t n, struct verify_policy *ret, struct err *err)
{
	auto_verify_policy p = { .threshold = 1 };
	const struct reading r = { file, &p, err };

	if (n > VERIFY_POLICY_MAX)
		return err_set(err, ERR_USAGE, 0, "%s: the policy has %zu bytes; the limit is %u", file, n, VERIFY_POLICY_MAX);
	if (yaml_read(file, text, n, &p.root, err) < 0 || read_root(&r, p.root) < 0 || hash_bytes(text, n, &p.digest, err) < 0)
		return -1;
	p.asks.builders = p.builders;
	p.asks.sources = p.sources;
	p.asks.params = p.params;
	p.asks.rootfs = p.rootfs;
	p.asks.profiles = p.profiles;
	*ret = p;
	p = (struct verify_policy){0};
	return 0;
}
