/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/report.h"

#include <errno.h>
#include <string.h>

#include "inspect/inspect.h"

/** What is known of one cause. */
struct sum {
	json_int_t count;
	json_t *evidence;   /* of the first; borrowed */
	char *where;        /* its path; owned */
};

struct sums {
	struct sum v[CAUSE_COUNT];
	struct buf path;    /* of the node at hand, its parts behind one another */
	bool failed;
};

static void sums_clear(struct sums *s)
{
	for (size_t i = 0; i < CAUSE_COUNT; i++)
		free(s->v[i].where);
	buf_free(&s->path);
}

static void add_cause(struct sums *s, const json_t *c)
{
	struct sum *to = &s->v[cause_named(json_str(c, "cause"))];

	to->count += json_integer_value(json_object_get(c, "count"));
	if (to->evidence != NULL)
		return;
	to->evidence = json_object_get(c, "evidence");
	to->where = strdup(s->path.len == 0 ? "" : s->path.data);
	s->failed = s->failed || to->where == NULL;
}

/** Adds up the causes of a node and of what is in it. */
static void sum_up(struct sums *s, const json_t *node)
{
	const char *name = json_str(node, "path");
	size_t len = s->path.len, i;
	json_t *v;

	if (name != NULL)
		buf_addf(&s->path, "%s%s", len == 0 ? "" : " > ", name);
	json_array_foreach(json_object_get(node, "causes"), i, v) {
		add_cause(s, v);
	}
	json_array_foreach(json_object_get(node, "inside"), i, v) {
		sum_up(s, v);
	}
	s->failed = s->failed || s->path.failed;
	buf_seal(&s->path, len);
}

static json_t *causes_json(const struct sums *s)
{
	json_t *causes = json_array();

	for (size_t i = 1; i < CAUSE_COUNT; i++) {
		const struct sum *c = &s->v[i];

		if (c->evidence == NULL)
			continue;
		if (json_array_append_new(causes, json_pack("{s:s, s:I, s:s, s:O, s:s}", "cause", cause_name((enum cause)i), "count", c->count,
							     "where", c->where, "evidence", c->evidence, "cure", cause_cure((enum cause)i))) < 0) {
			json_decref(causes);
			return NULL;
		}
	}
	return causes;
}

int report_make(json_t *root, const struct report_side *a, const struct report_side *b, json_t **ret, struct err *err)
{
	struct sums s = {0};
	json_t *inside = json_object_get(root, "inside"), *more = json_object_get(root, "more");
	bool same = node_is_empty(root);

	sum_up(&s, root);
	json_t *report = s.failed ? NULL :
		json_pack("{s:s, s:{s:o, s:s}, s:{s:o, s:s}, s:b, s:o, s:o, s:I}", "schema", REPORT_SCHEMA, "a", "path",
			  json_bytes(a->path, strlen(a->path)), "kind", a->kind, "b", "path", json_bytes(b->path, strlen(b->path)), "kind", b->kind,
			  "same", same, "causes", causes_json(&s), "differences", inside == NULL ? json_array() : json_incref(inside), "more",
			  json_integer_value(more));
	sums_clear(&s);
	if (report == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "make the report");
	/* Causes of the two as a whole, such as the order of a tree's members, stand among the sums only. */
	*ret = report;
	return 0;
}

bool diff_is_same(const json_t *report)
{
	return json_is_true(json_object_get(report, "same"));
}
