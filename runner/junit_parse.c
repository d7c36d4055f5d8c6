/* SPDX-License-Identifier: Apache-2.0 */
/* A report in a confined process: bytes of a step's in, rows of junit.h out. */
#include "runner/junit.h"

#include <string.h>

#include <expat.h>

/** What the parser's callbacks work on. */
struct parse {
	XML_Parser xml;
	struct buf *rows;
	struct err *err;
	size_t depth, cases;
	size_t in_case;            /**< depth of the case that is open; 0: none */
	enum junit_status status;  /**< of that */
	char name[JUNIT_NAME_MAX + 1];
};

/** Ends the parsing with an error of our own. */
static void refuse(struct parse *p, const char *why)
{
	if (p->err->kind == ERR_NONE)
		(void)err_set(p->err, ERR_STEP, 0, "line %lu: %s", (unsigned long)XML_GetCurrentLineNumber(p->xml), why);
	(void)XML_StopParser(p->xml, XML_FALSE);
}

static const char *attribute(const XML_Char **attributes, const char *name)
{
	for (size_t i = 0; attributes[i] != NULL; i += 2)
		if (strcmp(attributes[i], name) == 0)
			return attributes[i + 1];
	return NULL;
}

/** Appends as much of @p s as there is room for, in whole characters; control characters become spaces. */
static size_t add_name(char *to, size_t at, const char *s)
{
	while (*s != '\0') {
		size_t left = strnlen(s, 8), control = text_control_len(s, left), n = control != 0 ? control : text_utf8_len(s, left);

		if (n == 0 || at + n > JUNIT_NAME_MAX)
			break;
		if (control != 0)
			to[at++] = ' ';
		else
			memcpy(to + at, s, n), at += n;
		s += n;
	}
	to[at] = '\0';
	return at;
}

static void begin_case(struct parse *p, const XML_Char **attributes)
{
	const char *class = attribute(attributes, "classname"), *name = attribute(attributes, "name");
	size_t at = 0;

	if (p->in_case != 0) {
		refuse(p, "a testcase within a testcase");
		return;
	}
	if (++p->cases > JUNIT_CASES_MAX) {
		refuse(p, "more cases than are read");
		return;
	}
	if (class != NULL && class[0] != '\0')
		at = add_name(p->name, add_name(p->name, 0, class), ".");
	(void)add_name(p->name, at, name == NULL || name[0] == '\0' ? "unnamed" : name);
	p->in_case = p->depth;
	p->status = JUNIT_PASSED;
}

static void on_start(void *arg, const XML_Char *element, const XML_Char **attributes)
{
	struct parse *p = arg;

	if (++p->depth > JUNIT_DEPTH_MAX)
		refuse(p, "elements deeper than are read");
	else if (p->depth == 1 && strcmp(element, "testsuites") != 0 && strcmp(element, "testsuite") != 0)
		refuse(p, "no JUnit report: that has a root 'testsuites' or 'testsuite'");
	else if (strcmp(element, "testcase") == 0)
		begin_case(p, attributes);
	else if (p->in_case != 0 && p->depth == p->in_case + 1 && (strcmp(element, "failure") == 0 || strcmp(element, "error") == 0))
		p->status = JUNIT_FAILED;
	else if (p->in_case != 0 && p->depth == p->in_case + 1 && strcmp(element, "skipped") == 0 && p->status == JUNIT_PASSED)
		p->status = JUNIT_SKIPPED;
}

/** A row: a status, the name, a NUL. */
static void on_end(void *arg, const XML_Char *element)
{
	struct parse *p = arg;

	(void)element;
	if (p->depth-- != p->in_case)
		return;
	p->in_case = 0;
	buf_addc(p->rows, (char)('0' + p->status));
	buf_add(p->rows, p->name, strlen(p->name) + 1);
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid, int internal)
{
	(void)name, (void)sysid, (void)pubid, (void)internal;
	refuse(arg, "a document type, which is not read");
}

OWN_DEFINE(parser, XML_Parser, NULL, XML_ParserFree)

int junit_parse(const char *data, size_t n, struct buf *rows, struct err *err)
{
	auto_own(parser) XML_Parser xml = XML_ParserCreate(NULL);
	struct parse p = { .xml = xml, .rows = rows, .err = err };

	*err = (struct err){0};
	if (xml == NULL)
		return err_set(err, ERR_INTERNAL, 0, "memory is short");
	if (n > JUNIT_MAX)
		return err_set(err, ERR_STEP, 0, "larger than the %u bytes that are read", JUNIT_MAX);
	XML_SetUserData(xml, &p);
	XML_SetElementHandler(xml, on_start, on_end);
	XML_SetStartDoctypeDeclHandler(xml, on_doctype);
	if (XML_Parse(xml, data, (int)n, XML_TRUE) != XML_STATUS_OK && err->kind == ERR_NONE)
		(void)err_set(err, ERR_STEP, 0, "line %lu: not well-formed XML: %s", (unsigned long)XML_GetCurrentLineNumber(xml),
			XML_ErrorString(XML_GetErrorCode(xml)));
	return err->kind != ERR_NONE ? -1 : buf_check(rows, "report", err);
}
