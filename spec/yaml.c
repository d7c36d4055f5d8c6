/* SPDX-License-Identifier: Apache-2.0 */
/* The tree is built from libyaml's events, with an explicit stack (node->up), so
 * that hostile nesting costs nothing but a refusal. */
#include <errno.h>
#include <string.h>

#include <yaml.h>

#include "base/text.h"
#include "spec/yaml.h"

/** A tree being built. */
struct loader {
	const char *file;
	struct err *err;
	yaml_parser_t parser;
	struct node *root;
	struct node *in;        /**< the open map or list; NULL outside */
	char *key;              /**< owned: a key that waits for its value */
	bool plain_key;
	struct spec_pos key_pos;
	size_t count, depth;
	bool document_seen;
};

static struct spec_pos position(const yaml_mark_t *mark)
{
	return (struct spec_pos){ (unsigned)mark->line + 1, (unsigned)mark->column + 1 };
}

static int no_memory(const struct loader *l)
{
	return err_set(l->err, ERR_INTERNAL, ENOMEM, "%s: reading the spec", l->file);
}

/** libyaml's own complaint, with its place. */
static int syntax_error(const struct loader *l)
{
	const yaml_parser_t *p = &l->parser;
	const char *problem = p->problem != NULL ? p->problem : "cannot be read";

	if (p->error == YAML_MEMORY_ERROR)
		return no_memory(l);
	if (p->context != NULL)
		return yaml_error(l->file, position(&p->problem_mark), l->err, "not valid YAML: %s (%s that began at line %zu)",
				  problem, p->context, p->context_mark.line + 1);
	return yaml_error(l->file, position(&p->problem_mark), l->err, "not valid YAML: %s", problem);
}

static int refuse_props(const struct loader *l, struct spec_pos pos, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	char q[QUOTE_SIZE];

	if (anchor != NULL)
		return yaml_error(l->file, pos, l->err, "anchor %s: anchors are not accepted in a spec; write the value out where it is used",
				  quote(q, (const char *)anchor));
	if (tag != NULL)
		return yaml_error(l->file, pos, l->err, "tag %s: tags are not accepted in a spec; remove it",
				  quote(q, (const char *)tag));
	return 0;
}

/** A new node of @p kind at @p pos in the open container, which takes the waiting key. NULL: memory, or (with err set) a limit. */
static struct node *add_node(struct loader *l, enum node_kind kind, struct spec_pos pos)
{
	struct node *node, *in = l->in;

	if (++l->count > SPEC_NODES_MAX) {
		yaml_error(l->file, pos, l->err, "more than %d values in one spec", SPEC_NODES_MAX);
		return NULL;
	}
	if (in != NULL && in->n == SPEC_ENTRIES_MAX) {
		yaml_error(l->file, pos, l->err, "more than %d entries in one %s", SPEC_ENTRIES_MAX,
			   in->kind == NODE_MAP ? "mapping" : "list");
		return NULL;
	}
	node = calloc(1, sizeof *node);
	if (node == NULL) {
		no_memory(l);
		return NULL;
	}
	*node = (struct node){ .kind = kind, .pos = pos, .key_pos = pos, .up = in };
	if (in == NULL) {
		l->root = node;
		return node;
	}
	if (in->kind == NODE_MAP) {
		node->key = move_ptr(l->key);
		node->key_pos = l->key_pos;
		node->plain_key = l->plain_key;
	}
	node_append(in, node);
	return node;
}

/** A copy of a scalar's text; refuses NUL, which only an escape can bring. */
static int copy_text(const struct loader *l, const yaml_event_t *event, struct spec_pos pos, char **ret)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t n = event->data.scalar.length;

	if (memchr(value, '\0', n) != NULL)
		return yaml_error(l->file, pos, l->err, "the text holds a NUL character (\\0); remove it");
	*ret = strndup(value, n);
	return *ret != NULL ? 0 : no_memory(l);
}

static int take_key(struct loader *l, const yaml_event_t *event, struct spec_pos pos)
{
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	auto_free char *key = NULL;
	const struct node *same;
	char q[QUOTE_SIZE];

	if (copy_text(l, event, pos, &key) < 0)
		return -1;
	if (strlen(key) > SPEC_KEY_MAX)
		return yaml_error(l->file, pos, l->err, "key %s is longer than %d bytes", quote(q, key), SPEC_KEY_MAX);
	if (plain && strcmp(key, "<<") == 0)
		return yaml_error(l->file, pos, l->err, "merge keys (<<) are not accepted in a spec; write the keys out");
	same = node_get(l->in, key);
	if (same != NULL)
		return yaml_error(l->file, pos, l->err, "key %s is there twice, first at line %u; remove one of them",
				  quote(q, key), same->key_pos.line);
	l->key = move_ptr(key);
	l->key_pos = pos;
	l->plain_key = plain;
	return 0;
}

static bool wants_key(const struct loader *l)
{
	return l->in != NULL && l->in->kind == NODE_MAP && l->key == NULL;
}

static int on_scalar(struct loader *l, const yaml_event_t *event)
{
	struct spec_pos pos = position(&event->start_mark);
	auto_free char *text = NULL;
	struct node *node;

	if (refuse_props(l, pos, event->data.scalar.anchor, event->data.scalar.tag) < 0)
		return -1;
	if (wants_key(l))
		return take_key(l, event, pos);
	if (copy_text(l, event, pos, &text) < 0)
		return -1;
	node = add_node(l, NODE_SCALAR, pos);
	if (node == NULL)
		return -1;
	node->text = move_ptr(text);
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return 0;
}

static int on_open(struct loader *l, enum node_kind kind, const yaml_event_t *event, const yaml_char_t *anchor,
		   const yaml_char_t *tag)
{
	struct spec_pos pos = position(&event->start_mark);
	struct node *node;

	if (refuse_props(l, pos, anchor, tag) < 0)
		return -1;
	if (wants_key(l))
		return yaml_error(l->file, pos, l->err, "a key must be a plain string, not a %s",
				  kind == NODE_MAP ? "mapping" : "list");
	if (l->depth == SPEC_DEPTH_MAX)
		return yaml_error(l->file, pos, l->err, "nested more than %d deep", SPEC_DEPTH_MAX);
	node = add_node(l, kind, pos);
	if (node == NULL)
		return -1;
	l->in = node;
	l->depth++;
	return 0;
}

static int on_document(struct loader *l, const yaml_event_t *event)
{
	struct spec_pos pos = position(&event->start_mark);

	if (l->document_seen)
		return yaml_error(l->file, pos, l->err, "a second YAML document begins here; a spec is one document: remove the '---'");
	l->document_seen = true;
	if (event->data.document_start.version_directive != NULL ||
	    event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end)
		return yaml_error(l->file, pos, l->err, "YAML directives (%%) are not accepted in a spec; remove them");
	return 0;
}

static int on_event(struct loader *l, const yaml_event_t *event)
{
	char q[QUOTE_SIZE];

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return on_document(l, event);
	case YAML_ALIAS_EVENT:
		return yaml_error(l->file, position(&event->start_mark), l->err,
				  "alias %s: aliases are not accepted in a spec; write the value out",
				  quote(q, (const char *)event->data.alias.anchor));
	case YAML_SCALAR_EVENT:
		return on_scalar(l, event);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(l, NODE_LIST, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return on_open(l, NODE_MAP, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		l->in = l->in->up;
		l->depth--;
		return 0;
	default:
		return 0;
	}
}

static int load(struct loader *l)
{
	bool end = false;

	while (!end) {
		yaml_event_t event;

		if (!yaml_parser_parse(&l->parser, &event))
			return syntax_error(l);
		end = event.type == YAML_STREAM_END_EVENT;
		int failed = on_event(l, &event);
		yaml_event_delete(&event);
		if (failed < 0)
			return -1;
	}
	if (l->root == NULL)
		return yaml_error(l->file, (struct spec_pos){ 1, 1 }, l->err,
				  "the spec is empty; the least one has apiVersion, kind, metadata.name and spec.build.command");
	return 0;
}

int yaml_read_here(const char *file, const char *text, size_t n, struct node **ret, struct err *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct loader l = { .file = file, .err = err };
	int result;

	if (n > SPEC_TEXT_MAX)
		return yaml_error(file, (struct spec_pos){ 1, 1 }, err, "the spec has %zu bytes; the limit is %u", n, SPEC_TEXT_MAX);
	if (n >= 3 && memcmp(text, mark, 3) == 0) {
		text += 3;
		n -= 3;
	}
	if (charset_check(file, text, n, err) < 0)
		return -1;
	if (!yaml_parser_initialize(&l.parser))
		return no_memory(&l);
	yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&l.parser, (const unsigned char *)text, n);
	result = load(&l);
	yaml_parser_delete(&l.parser);
	free(l.key);
	if (result < 0)
		node_free(l.root);
	else
		*ret = l.root;
	return result;
}
