/* SPDX-License-Identifier: Apache-2.0 */
/* Which YAML is read, and which is refused before the schema sees it. */
#include "spec/yaml.h"
#include "tests/unit/spec/helper.h"

static void syntax(void **state)
{
	(void)state;
	bad("kind: [a\n", "b.yaml:2:1: not valid YAML: did not find expected ',' or ']' (while parsing a flow sequence that began at line 1)");
	bad("kind: 'a\n", "b.yaml:2:1: not valid YAML: found unexpected end of stream (while scanning a quoted scalar that began at line 1)");
	bad("a: b: c\n", "b.yaml:1:5: not valid YAML: mapping values are not allowed in this context");
	bad("kind:\n\t- a\n", "b.yaml:2:1: not valid YAML: found character that cannot start any token (while scanning for the next token that began at line 2)");
	bad("kind: @a\n", "b.yaml:1:7: not valid YAML: found character that cannot start any token (while scanning for the next token that began at line 1)");
}

static void no_document(void **state)
{
	static const char want[] = "b.yaml:1:1: the spec is empty; the least one has apiVersion, kind, metadata.name and spec.build.command";
	(void)state;

	bad("", want);
	bad("\n\n", want);
	bad("# nothing\n", want);
	parse_bad("\xef\xbb\xbf", 3, want);
	bad("---\n", "b.yaml:2:1: expected a mapping, found nothing; give it a value or remove the key");
}

static void root_is_a_mapping(void **state)
{
	(void)state;
	bad("- a\n", "b.yaml:1:1: expected a mapping, found a list; write KEY: VALUE lines below it, indented");
	bad("text\n", "b.yaml:1:1: expected a mapping, found the string 'text'; write KEY: VALUE lines below it, indented");
}

static void one_document(void **state)
{
	(void)state;
	spec_free(good("---\n" HEAD BUILD "...\n"));
	bad(HEAD BUILD "---\nkind: x\n", "b.yaml:8:1: a second YAML document begins here; a spec is one document: remove the '---'");
	bad(HEAD BUILD "...\n---\n", "b.yaml:9:1: a second YAML document begins here; a spec is one document: remove the '---'");
	bad("%YAML 1.1\n---\n" HEAD BUILD, "b.yaml:1:1: YAML directives (%) are not accepted in a spec; remove them");
	bad("%TAG ! tag:x,2000:\n---\n" HEAD BUILD, "b.yaml:1:1: YAML directives (%) are not accepted in a spec; remove them");
}

static void no_references(void **state)
{
	(void)state;
	bad("kind: &a BuildSpec\n", "b.yaml:1:7: anchor 'a': anchors are not accepted in a spec; write the value out where it is used");
	bad("a: &x [b]\n", "b.yaml:1:4: anchor 'x': anchors are not accepted in a spec; write the value out where it is used");
	bad("a: &x {b: c}\n", "b.yaml:1:4: anchor 'x': anchors are not accepted in a spec; write the value out where it is used");
	bad("&k kind: a\n", "b.yaml:1:1: anchor 'k': anchors are not accepted in a spec; write the value out where it is used");
	bad("kind: *a\n", "b.yaml:1:7: alias 'a': aliases are not accepted in a spec; write the value out");
	bad("*a : b\n", "b.yaml:1:1: alias 'a': aliases are not accepted in a spec; write the value out");
	bad("kind: !!str x\n", "b.yaml:1:7: tag 'tag:yaml.org,2002:str': tags are not accepted in a spec; remove it");
	bad("kind: ! x\n", "b.yaml:1:7: tag '!': tags are not accepted in a spec; remove it");
	bad("kind: !include x\n", "b.yaml:1:7: tag '!include': tags are not accepted in a spec; remove it");
	bad("a: !!map {}\n", "b.yaml:1:4: tag 'tag:yaml.org,2002:map': tags are not accepted in a spec; remove it");
	bad("a:\n  <<: {b: c}\n", "b.yaml:2:3: merge keys (<<) are not accepted in a spec; write the keys out");
}

static void keys(void **state)
{
	char text[SPEC_KEY_MAX + 20];
	(void)state;

	bad("kind: BuildSpec\nmetadata: {}\nkind: BuildSpec\n", "b.yaml:3:1: key 'kind' is there twice, first at line 1; remove one of them");
	bad("kind: BuildSpec\n\"kind\": x\n", "b.yaml:2:1: key 'kind' is there twice, first at line 1; remove one of them");
	bad("metadata: {name: a, name: a}\n", "b.yaml:1:21: key 'name' is there twice, first at line 1; remove one of them");
	bad(HEAD BUILD "  sandbox:\n    env:\n      A: b\n      A: b\n",
	    "b.yaml:11:7: key 'A' is there twice, first at line 10; remove one of them");
	bad("? [a]\n: b\n", "b.yaml:1:3: a key must be a plain string, not a list");
	bad("? {a: b}\n: c\n", "b.yaml:1:3: a key must be a plain string, not a mapping");
	memset(text, 'k', SPEC_KEY_MAX + 1);
	strcpy(text + SPEC_KEY_MAX + 1, ": v\n");
	bad(text, "b.yaml:1:1: key 'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…' is longer than 256 bytes");
}

static void characters(void **state)
{
	(void)state;
	parse_bad("kind: a\0b\n", 10, "b.yaml:1:8: U+0000 is a NUL byte: a spec is plain UTF-8 text");
	bad("kind: \"a\\0b\"\n", "b.yaml:1:7: the text holds a NUL character (\\0); remove it");
	bad("\"k\\0\": b\n", "b.yaml:1:1: the text holds a NUL character (\\0); remove it");
	bad("a: b\nkind: \xff\n", "b.yaml:2:7: byte 0xff is not valid UTF-8; save the file as UTF-8");
	bad("kind: \xc3\n", "b.yaml:1:7: byte 0xc3 is not valid UTF-8; save the file as UTF-8");
	bad("kind: \xc0\x80\n", "b.yaml:1:7: byte 0xc0 is not valid UTF-8; save the file as UTF-8");
	bad("kind: \xed\xa0\x80\n", "b.yaml:1:7: byte 0xed is not valid UTF-8; save the file as UTF-8");
	/* UTF-16 with its mark. */
	parse_bad("\xff\xfek\0", 4, "b.yaml:1:1: byte 0xff is not valid UTF-8; save the file as UTF-8");
	bad("kind: a\x07\n", "b.yaml:1:8: U+0007 is a control character; remove it, or write it as an escape in double quotes");
	bad("kind: a\xc2\x9b\n", "b.yaml:1:8: U+009B is a control character; remove it, or write it as an escape in double quotes");
	bad("# \xe2\x80\xae\n", "b.yaml:1:3: U+202E is a character that changes the direction of the text, so that it does not look like what it says; remove it");
	bad("# a\xe2\x80\xa8kind: x\n", "b.yaml:1:4: U+2028 is a line break that most editors do not show; write a plain line feed");
	bad("kind: a\xef\xbb\xbf\n", "b.yaml:1:8: U+FEFF is an invisible byte order mark inside the text; remove it");
	bad("\xc3\xa4\xc3\xb6: \xef\xbf\xbf\n", "b.yaml:1:5: U+FFFF is not a Unicode character; remove it");
	/* Columns count characters. */
	bad("# \xc3\xa4\n{\xc3\xa4: 1, \xc3\xa4: 2}\n", "b.yaml:2:8: key '\xc3\xa4' is there twice, first at line 2; remove one of them");
}

/* What other systems' editors leave does not matter. */
static void line_ends_and_mark(void **state)
{
	static const char crlf[] = "apiVersion: platform.build/v1\r\nkind: BuildSpec\r\nmetadata: { name: x }\r\nspec:\r\n"
		"  build:\r\n    command: |\r\n      a\r\n      b\r\n";
	struct spec *spec = good(crlf);
	(void)state;

	assert_string_equal(spec->build.command.shell, "a\nb\n");
	spec_free(spec);
	spec_free(good("\xef\xbb\xbf" HEAD BUILD));
	bad("\xef\xbb\xbfkid: x\n", "b.yaml:1:1: kid: unknown key; did you mean 'kind'?");
	bad("kind: BuildSpec\r\n\r\nkid: x\r\n", "b.yaml:3:1: kid: unknown key; did you mean 'kind'?");
	parse_bad("kind: x\r\n\x01", 10, "b.yaml:2:1: U+0001 is a control character; remove it, or write it as an escape in double quotes");
	parse_bad("kind: x\r\r\x01", 10, "b.yaml:3:1: U+0001 is a control character; remove it, or write it as an escape in double quotes");
	/* A tab may separate, not indent. */
	spec_free(good("apiVersion:\tplatform.build/v1\nkind: BuildSpec\t# c\nmetadata: { name: x }\nspec: { build: { command: a\tb } }\n"));
}

/* Fills n copies of what, between before and after. */
static void repeated(struct buf *out, const char *before, const char *what, size_t n, const char *after)
{
	buf_clear(out);
	buf_adds(out, before);
	for (size_t i = 0; i < n; i++)
		buf_adds(out, what);
	buf_adds(out, after);
	assert_false(out->failed);
}

static void depth(void **state)
{
	auto_buf text = {0};
	(void)state;

	repeated(&text, "a: ", "[", SPEC_DEPTH_MAX - 1, "]");
	bad(text.data, "b.yaml:2:1: not valid YAML: did not find expected ',' or ']' (while parsing a flow sequence that began at line 1)");
	repeated(&text, "a: ", "[", SPEC_DEPTH_MAX, "");
	bad(text.data, "b.yaml:1:19: nested more than 16 deep");
	repeated(&text, "a: ", "[", SPEC_TEXT_MAX - 3, "");
	bad(text.data, "b.yaml:1:19: nested more than 16 deep");
	repeated(&text, "a: ", "{a: ", SPEC_TEXT_MAX / 4 - 1, "");
	bad(text.data, "b.yaml:1:64: nested more than 16 deep");
	repeated(&text, "", "- ", SPEC_TEXT_MAX / 2, "");
	bad(text.data, "b.yaml:1:33: nested more than 16 deep");
}

static void sizes(void **state)
{
	auto_buf text = {0};
	(void)state;

	repeated(&text, HEAD BUILD "#", "x", SPEC_TEXT_MAX - strlen(HEAD BUILD "#"), "");
	assert_int_equal(text.len, SPEC_TEXT_MAX);
	spec_free(parse_good(text.data, text.len));
	buf_addc(&text, 'x');
	parse_bad(text.data, text.len, "b.yaml:1:1: the spec has 1048577 bytes; the limit is 1048576");

	repeated(&text, "a: [", "b,", SPEC_ENTRIES_MAX, "]\n");
	bad(text.data, "b.yaml:1:1: a: unknown key; known here: apiVersion, kind, metadata, spec");
	repeated(&text, "a: [", "b,", SPEC_ENTRIES_MAX + 1, "]\n");
	bad(text.data, "b.yaml:1:2053: more than 1024 entries in one list");

	buf_clear(&text);
	for (int i = 0; i <= SPEC_ENTRIES_MAX; i++)
		buf_addf(&text, "k%d: v\n", i);
	bad(text.data, "b.yaml:1025:8: more than 1024 entries in one mapping");

	/* Lists of short lists: 1024 of 64 and themselves. */
	auto_buf row = {0};
	repeated(&row, "  - [", "b,", 64, "]\n");
	repeated(&text, "a:\n", row.data, SPEC_ENTRIES_MAX, "");
	bad(text.data, "b.yaml:1010:32: more than 65536 values in one spec");
}

/* Long tokens of every kind cost no more than their length. */
static void long_tokens(void **state)
{
	static const char *const starts[] = { "a: \"", "a: '", "a: |\n  ", "a: ", "#", "? ", "&", "*", "!", "%", "- ", "a: >\n\n\n  " };
	static const char *const fillings[] = { "x", "x ", "\\n", ": ", "\n", "a:\n", "''", "- a\n", "? a\n" };
	auto_buf text = {0};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		for (size_t k = 0; k < ARRAY_LEN(fillings); k++) {
			struct spec *spec = NULL;
			struct err err = {0};

			repeated(&text, starts[i], fillings[k], (SPEC_TEXT_MAX - 16) / strlen(fillings[k]), "");
			assert_int_equal(spec_parse("b.yaml", text.data, text.len, &spec, &err), -1);
			assert_int_equal(err.kind, ERR_USAGE);
			assert_int_equal(strncmp(err.msg, "b.yaml:", 7), 0);
		}
}

static void kinds_of_scalars(void **state)
{
	static const struct {
		const char *text;
		enum scalar_kind kind;
	} rows[] = {
		{ "", SCALAR_NULL }, { "~", SCALAR_NULL }, { "null", SCALAR_NULL }, { "Null", SCALAR_NULL }, { "NULL", SCALAR_NULL },
		{ "true", SCALAR_BOOL }, { "false", SCALAR_BOOL },
		{ "True", SCALAR_UNCLEAR }, { "yes", SCALAR_UNCLEAR }, { "No", SCALAR_UNCLEAR }, { "ON", SCALAR_UNCLEAR },
		{ "off", SCALAR_UNCLEAR }, { "y", SCALAR_UNCLEAR }, { "010", SCALAR_UNCLEAR }, { "0x1F", SCALAR_UNCLEAR },
		{ "0o7", SCALAR_UNCLEAR }, { "0b1", SCALAR_UNCLEAR }, { "1_000", SCALAR_UNCLEAR }, { "+1", SCALAR_UNCLEAR },
		{ "0", SCALAR_INT }, { "-0", SCALAR_INT }, { "20", SCALAR_INT }, { "-3", SCALAR_INT },
		{ "1.20", SCALAR_FLOAT }, { ".5", SCALAR_FLOAT }, { "1e3", SCALAR_FLOAT }, { "1.", SCALAR_FLOAT },
		{ "-1.5E-7", SCALAR_FLOAT }, { ".inf", SCALAR_FLOAT }, { "-.Inf", SCALAR_FLOAT }, { ".nan", SCALAR_FLOAT },
		{ "1.2.3", SCALAR_STRING }, { "v1", SCALAR_STRING }, { ".", SCALAR_STRING }, { "-", SCALAR_STRING }, { "_", SCALAR_STRING },
		{ "e3", SCALAR_STRING }, { "1e", SCALAR_STRING }, { "0x", SCALAR_STRING }, { "yesterday", SCALAR_STRING },
		{ "12ab", SCALAR_STRING }, { "1:30", SCALAR_STRING }, { "2020-01-01", SCALAR_STRING }, { "none", SCALAR_STRING },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (scalar_kind(rows[i].text) != rows[i].kind)
			fail_msg("'%s' is of kind %d", rows[i].text, (int)scalar_kind(rows[i].text));
}

/* What a message repeats of a hostile value can neither drive a terminal nor flood it. */
static void messages_are_printable(void **state)
{
	char q[QUOTE_SIZE], text[1000];
	(void)state;

	assert_string_equal(quote(q, "a\x1b[31m"), "'a\\033[31m'");
	memset(text, '\x01', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	quote(q, text);
	assert_int_equal(strlen(q), 60 * 4 + strlen("'…'"));
	/* Cut between characters. */
	for (size_t i = 0; i + 3 < sizeof text; i += 3)
		memcpy(text + i, "€", 3);
	text[999 - 999 % 3] = '\0';
	quote(q, text);
	assert_int_equal(strlen(q), 60 + strlen("'…'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syntax),
		cmocka_unit_test(no_document),
		cmocka_unit_test(root_is_a_mapping),
		cmocka_unit_test(one_document),
		cmocka_unit_test(no_references),
		cmocka_unit_test(keys),
		cmocka_unit_test(characters),
		cmocka_unit_test(line_ends_and_mark),
		cmocka_unit_test(depth),
		cmocka_unit_test(sizes),
		cmocka_unit_test(long_tokens),
		cmocka_unit_test(kinds_of_scalars),
		cmocka_unit_test(messages_are_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
