/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of tests: found, read by a confined process, and refused for what they are not. */
#include "tests/unit/store/help.h"

#include "runner/reports.h"

static struct err err;

/** The rows of a report, for those who want to see NULs: each as "|". */
static void rows_of(const char *xml, struct buf *out)
{
	auto_buf rows = {0};

	if (junit_parse(xml, strlen(xml), &rows, &err) < 0)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < rows.len; i++)
		buf_addc(out, rows.data[i] == '\0' ? '|' : rows.data[i]);
	buf_adds(out, "");
}

static void means(const char *xml, const char *want)
{
	auto_buf have = {0};

	rows_of(xml, &have);
	assert_string_equal(have.data == NULL ? "" : have.data, want);
}

static void refused(const char *xml, const char *why)
{
	auto_buf rows = {0};

	err = (struct err){0};
	assert_int_equal(junit_parse(xml, strlen(xml), &rows, &err), -1);
	if (strstr(err.msg, why) == NULL)
		fail_msg("'%s' has no '%s'", err.msg, why);
	assert_int_equal(err.kind, ERR_STEP);
}

static void cases_have_names_and_an_end(void **state)
{
	(void)state;
	means("<testsuites/>", "");
	means("<testsuite><testcase name='a'/></testsuite>", "0a|");
	means("<?xml version='1.0' encoding='UTF-8'?>\n<testsuites><testsuite><testcase classname='c.D' name='a'><failure>why</failure></testcase>"
	      "<testcase name='b'><error/></testcase><testcase name='s'><skipped/></testcase></testsuite></testsuites>",
	      "2c.D.a|2b|1s|");
	/* Failed is failed, also where it was skipped besides; and a suite may stand in a suite. */
	means("<testsuite><testsuite><testcase name='x'><failure/><skipped/></testcase></testsuite></testsuite>", "2x|");
	/* Only what stands right in a case says how it ended. */
	means("<testsuite><failure/><testcase name='y'><system-out><failure/></system-out></testcase></testsuite>", "0y|");
	means("<testsuite><testcase/><testcase name=''/></testsuite>", "0unnamed|0unnamed|");
	means("<testsuite><testcase name='&lt;&#xe9;&amp;'/></testsuite>", "0<\xc3\xa9&|");
	/* Nothing that drives a terminal, and no end of a row, gets through. */
	means("<testsuite><testcase name='a&#10;b&#x9b;c'/></testsuite>", "0a b c|");
	means("<?xml version='1.0' encoding='ISO-8859-1'?><testsuite><testcase name='\xe9'/></testsuite>", "0\xc3\xa9|");
}

static void names_are_cut_in_whole_characters(void **state)
{
	auto_buf xml = {0}, rows = {0};

	(void)state;
	buf_adds(&xml, "<testsuite><testcase name='x");
	for (int i = 0; i < 200; i++)
		buf_adds(&xml, "\xc3\xa9");
	buf_adds(&xml, "'/></testsuite>");
	assert_int_equal(junit_parse(xml.data, xml.len, &rows, &err), 0);
	assert_int_equal(rows.len, 1 + 199 + 1);
	assert_true(text_is_utf8(rows.data));
}

static void what_is_no_report_is_refused(void **state)
{
	auto_buf deep = {0}, many = {0}, large = {0}, rows = {0};

	(void)state;
	refused("", "no element found");
	refused("hello", "not well-formed");
	refused("<testsuite>", "line 1: not well-formed XML: no element found");
	refused("<testsuite>\n</testsuites>", "line 2: not well-formed XML: mismatched tag");
	refused("<coverage/>", "no JUnit report");
	refused("<testsuite/><testsuite/>", "junk after document element");
	refused("<testsuite><testcase name='a'><testcase name='b'/></testcase></testsuite>", "a testcase within a testcase");
	refused("<testsuite><testcase name='a' name='b'/></testsuite>", "duplicate attribute");
	refused("<testsuite><testcase name='&x;'/></testsuite>", "undefined entity");
	refused("<!DOCTYPE testsuite [<!ENTITY x 'y'>]><testsuite><testcase name='&x;'/></testsuite>", "a document type");
	refused("<!DOCTYPE testsuite SYSTEM 'file:///etc/passwd'><testsuite/>", "a document type");
	refused("<testsuite><testcase name='\xff'/></testsuite>", "not well-formed");
	refused("<?xml version='1.0' encoding='KOI8-R'?><testsuite/>", "unknown encoding");
	for (int i = 0; i < JUNIT_DEPTH_MAX; i++)
		buf_adds(&deep, "<testsuite>");
	buf_adds(&deep, "<a>");
	refused(deep.data, "deeper than are read");
	buf_adds(&many, "<testsuite>");
	for (int i = 0; i <= JUNIT_CASES_MAX; i++)
		buf_adds(&many, "<testcase name='a'/>");
	refused(many.data, "more cases than are read");
	assert_non_null(buf_room(&large, JUNIT_MAX + 1));
	memset(large.data, ' ', JUNIT_MAX + 1);
	assert_int_equal(junit_parse(large.data, JUNIT_MAX + 1, &rows, &err), -1);
	assert_non_null(strstr(err.msg, "larger than"));
}

static void rows_are_not_believed(void **state)
{
	static const char *const bad[] = { "0", "3a", "/a", "0\x1b", "0\xff", "00\xc2\x9b" };
	char long_name[JUNIT_NAME_MAX + 3];
	auto_junit j = {0};

	(void)state;
	assert_true(junit_take("0a\0" "2b\0", 6, &j));
	assert_int_equal(j.n, 2);
	assert_int_equal(j.count[JUNIT_PASSED], 1);
	assert_int_equal(j.count[JUNIT_FAILED], 1);
	assert_string_equal(j.v[1].name, "b");
	struct junit none = {0};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(junit_take(bad[i], strlen(bad[i]) + 1, &none));
	assert_false(junit_take("0a\0" "0b", 5, &none));
	assert_false(junit_take("\0", 1, &none));
	memset(long_name, 'x', sizeof long_name);
	long_name[0] = '0';
	long_name[sizeof long_name - 1] = '\0';
	assert_false(junit_take(long_name, sizeof long_name, &none));
	assert_null(none.v);
}

static void it_is_read_apart(void **state)
{
	static const char good[] = "<testsuite><testcase name='a'/></testsuite>", bad[] = "<testsuite";
	auto_junit j = {0};

	(void)state;
	assert_int_equal(junit_read("r.xml", good, strlen(good), &j, &err), 0);
	assert_int_equal(j.n, 1);
	err = (struct err){0};
	assert_int_equal(junit_read("r.xml", bad, strlen(bad), &j, &err), -1);
	assert_int_equal(err.kind, ERR_STEP);
	assert_true(text_starts(err.msg, "r.xml: "));
	assert_non_null(strstr(err.msg, "not well-formed XML: unclosed token"));
}

/* ---- finding them ---------------------------------------------------------------------- */

static void found(struct world *w, const char *pattern, const char *want)
{
	auto_reports r = {0};
	auto_buf have = {0};

	must(reports_find(w->store, w->in, pattern, &r, &w->err));
	must(reports_read(w->store, &r, &w->err));
	for (size_t i = 0; i < r.n; i++)
		buf_addf(&have, "%s%s%s", i == 0 ? "" : " ", r.v[i].path, r.v[i].fault == NULL ? "" : "!");
	assert_string_equal(have.data == NULL ? "" : have.data, want);
	assert_int_equal(r.any, want[0] != '\0');
}

static void patterns_find_what_they_name(void **state)
{
	struct world *w = *state;

	shell(w, "cd in; mkdir -p reports/deep reports2 a/b/c; for f in reports/b.xml reports/a.xml reports/deep/d.xml reports2/x.xml top.xml a/b/c/e.xml; do "
		 "echo '<testsuite/>' >$f; done; echo no >reports/c.xml; echo '<testsuite/>' >reports/n.txt; ln -s a.xml reports/l.xml; "
		 "ln -s reports linked; mkfifo reports/p.xml; mkdir reports/dir.xml");
	found(w, "reports/*.xml", "reports/a.xml reports/b.xml reports/c.xml!");
	found(w, "*.xml", "top.xml");
	found(w, "reports/a.xml", "reports/a.xml");
	found(w, "**/*.xml", "a/b/c/e.xml reports/a.xml reports/b.xml reports/c.xml! reports/deep/d.xml reports2/x.xml top.xml");
	found(w, "a/*/c/?.xml", "a/b/c/e.xml");
	found(w, "reports*/x.xml", "reports2/x.xml");
	found(w, "linked/*.xml", "");
	found(w, "none/*.xml", "");
}

static void too_many_or_too_large_are_refused(void **state)
{
	struct world *w = *state;
	struct reports r = {0};

	shell(w, "cd in; mkdir many large closed; i=0; while test $i -lt 65; do echo '<testsuite/>' >many/$i.xml; i=$((i+1)); done; "
		 "truncate -s 1T large/a.xml");
	assert_int_equal(reports_find(w->store, w->in, "many/*.xml", &r, &w->err), -1);
	assert_error(ERR_STEP, "more than 64");
	assert_int_equal(reports_find(w->store, w->in, "large/*.xml", &r, &w->err), -1);
	assert_error(ERR_STEP, "more than");
	assert_false(r.any);
	/* Large, but not too large to be kept: only no report. */
	shell(w, "truncate -s 17M in/large/a.xml");
	found(w, "large/*.xml", "large/a.xml!");
}

static void what_they_say_is_told(void **state)
{
	struct world *w = *state;
	auto_reports r = {0};
	auto_buf text = {0};

	shell(w, "cd in; printf \"<testsuite><testcase name='a'/><testcase name='b'><skipped/></testcase></testsuite>\" >a.xml; echo x >\"$(printf 'b\\033.xml')\"");
	must(reports_find(w->store, w->in, "*.xml", &r, &w->err));
	must(reports_read(w->store, &r, &w->err));
	auto_json j = reports_json(&r);
	must(json_canonical(j, &text, &w->err));
	assert_non_null(strstr(text.data, "\"failed\":0,\"passed\":1,\"path\":\"a.xml\",\"skipped\":1"));
	assert_non_null(strstr(text.data, "\"path\":\"b\\\\033.xml\""));
	assert_non_null(strstr(text.data, "\"fault\":"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases_have_names_and_an_end),
		cmocka_unit_test(names_are_cut_in_whole_characters),
		cmocka_unit_test(what_is_no_report_is_refused),
		cmocka_unit_test(rows_are_not_believed),
		cmocka_unit_test(it_is_read_apart),
		test_in_world(patterns_find_what_they_name),
		test_in_world(too_many_or_too_large_are_refused),
		test_in_world(what_they_say_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
