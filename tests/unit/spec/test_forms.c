/* SPDX-License-Identifier: Apache-2.0 */
/* What strings must look like: by example, and code against pattern. */
#include <regex.h>

#include "spec/schema.h"
#include "tests/unit/spec/helper.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define X63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const struct schema_form *form;
	const char *good[12], *bad[20];
} rows[] = {
	{ &form_name, { "a", "A.b_c-9", X63 }, { "", "-a", ".a", "_a", "a b", "a/b", "ä", "a\n", X63 X63 } },
	{ &form_hostname, { "a", "glovebox", "a-b.c", "9", X63, X63 }, { "", "-a", "a-", "a..b", ".a", "a.", "a_b", "a b", X63 "x", X63 ".ab" } },
	{ &form_mount, { "/src", "/a/b", "/tmpx", "/.hidden", "/a b", "/..." },
	  { "", "/", "src", "/a/", "//a", "/a//b", "/a/.", "/a/../b", "/..", "/etc", "/etc/x", "/proc/self", "/dev", "/sys", "/tmp", "/build/x", "/a\nb",
	    "/" X63 X63 X63 X63 "xxxx" } },
	{ &form_image_path, { "/", "/app", "/tmp/x" }, { "", "app", "/a/", "/a/..", "/a/./b", "/a\tb" } },
	{ &form_host_path, { ".", "../a", "/a", "a b", "ä" }, { "", "a\nb", "\x7f" } },
	{ &form_glob, { "*.log", "!a", "/x/**/y", "#a", " " }, { "", "a\n" } },
	{ &form_profile, { "default", "a/b.yaml", "../x.json", "x.yaml" }, { "", "a/b", ".yaml.txt", "a.yml/", "a\n.yaml", "-x" } },
	{ &form_rootfs, { "debian-12", "d@" DIGEST, DIGEST, "oci:a@" DIGEST, "oci:h.example:5000/a/b@" DIGEST },
	  { "", "a b", "d@sha256:12", "sha256:12", "d@", "@" DIGEST, "oci:@" DIGEST, "oci:a", "oci:A@" DIGEST, "oci:a:t@" DIGEST, DIGEST "0", "d@" DIGEST "@", "a/b",
	    X63 X63 X63 "@" DIGEST } },
	{ &form_version, { "20", "3.12.1", "1.0~rc1+b", "nodejs", "v1_2-3" }, { "", "-1", ">=20", "1 2", "a/b" } },
	{ &form_cpus, { "1", "0.5", "9999", "2.125", "0.01", "0.012", "0.10" }, { "", "0", ".5", "1.", "500m", "10000", "1.2345", "-1", "01", "0.001", "0.00" } },
	{ &form_image_name, { "a", "team/image", "registry.example.com/checkout", "h:5000/a", "localhost/a", "H.example/a", "a__b/c.d-e---f", "a.b" },
	  { "", "a:tag", "a@" DIGEST, "A", "a/B", "/a", "a/", "a//b", "a_", "_a", "a___b", "a..b", "h:/a", "h:123456/a", "h:x/a", "-h/a", "a b", "https://a/b" } },
	{ &form_image_user, { "0", "1000:1000", "www-data", "_apt:nogroup" }, { "", ":", "a:", ":a", "a:b:c", "-a", "a b", "a:-b" } },
	{ &form_tag, { "v1", "{git.sha}", "{semver}-rc1", "1.2.3", "_x", "a{git.sha}b" },
	  { "", ".a", "-a", "a b", "a:b", "{}", "{", "a}", "{git", "{.a}", "{1}", "{git sha}", X63 X63 "xxx" } },
	{ &form_uri, { "https://ci.example.com/runners/1", "urn:uuid:1", "a:b" }, { "", "a", ":b", "a:", "1a:b", "a b:c", "a:b c", "a:\xc3\xa4" } },
	{ &form_url, { "https://h.example/a", "http://127.0.0.1:80/", "file:///a%20b", "file://localhost/a", "https://[::1]:8/x?y#z", "https://h" },
	  { "", "/a", "a", "ftp://h/a", "https://", "https:///a", "https://u@h/a", "https://u:p@h/", "https://h/a b", "https://h/\xc3\xa4", "https://h:/",
	    "https://h:123456/", "file://h/a", "file:a", "HTTPS://h/", "https://[x]/", "https://[::1", "https://h\n", "https://h\\@x/" } },
	{ &form_git_url, { ".", "../a b", "/srv/x.git", "https://h.example/a.git", "file:///a" },
	  { "", "git@h:a", "ssh://h/a", "ext::sh -c x", "a\nb", "fd::1", "https://u:p@h/", "git://h/a" } },
	{ &form_commit, { "4b220de5058abfd01ff619c9d2ff6b09a049bea0" }, { "", "4b220de", "4B220DE5058ABFD01FF619C9D2FF6B09A049BEA0", DIGEST, "HEAD",
	    "4b220de5058abfd01ff619c9d2ff6b09a049bea0a" } },
	{ &form_git_ref, { "main", "v1.2.3", "refs/heads/a", "a/b-c+d_e" },
	  { "", "-a", "a..b", "a/", "/a", "a//b", "a.lock", "a.lock/b", "a/.b", "a b", "a~1", "a^", "a:b", "a.", "@{-1}", "*" } },
	{ &form_digest, { DIGEST }, { "", "sha256:12", "sha512:0", DIGEST "0" } },
	{ &form_env_name, { "A", "_", "a1_B" }, { "", "1a", "a-b", "a=b", "a b", "ä" } },
	{ &form_label_name, { "org.example.a/b", "ä b" }, { "", "a\nb" } },
	{ &form_script, { "make", "\n  make\n", "ä" }, { "", " ", "\n\t \r\n" } },
	{ &form_argument, { "", " ", "a\nb" }, { NULL } },
	{ &form_base, { "rootfs", "scratch", "oci:./base@" DIGEST, "oci:/a/b.tar@" DIGEST, "oci:registry.example.com/a@" DIGEST, "oci:./a@b@" DIGEST },
	  { "", "Rootfs", "alpine", "oci:", "oci:@" DIGEST, "oci:./base", "oci:./base@sha256:12", "./base@" DIGEST, "oci:a\nb@" DIGEST, "docker:a@" DIGEST } },
	{ &form_layer_from, { "src", "build:src", "bundle:dist" }, { "", ":", "a:", ":a", "a:b:c", "a b", "-a", "a:-b", X63 X63 X63 ":a" } },
	{ &form_mode, { "0644", "755", "0000", "777" }, { "", "64", "1755", "4755", "0888", "00644", "0o644", "644 ", "u+x" } },
	{ &form_port, { "1", "8080", "65535/tcp", "53/udp", "9/sctp" }, { "", "0", "080", "65536", "99999", "8080/", "8080/TCP", "/tcp", "80-81", "a", "-1" } },
	{ &form_signal, { "SIGTERM", "SIGRTMIN", "SIGRTMIN+3", "SIGRTMAX-15", "15", "64" },
	  { "", "TERM", "sigterm", "SIGNOPE", "SIGRTMIN+", "SIGRTMIN+16", "SIGRTMIN+03", "0", "65", "15x", "SIGTERM " } },
	{ &form_line, { "a", "The Makers <makers@example.com>", "\xc3\xa4" }, { "", "a\nb", "\x7f" } },
	{ &form_value, { "", " ", "a\nb" }, { NULL } },
};

static void by_example(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(schema_form_ok(rows[i].form, rows[i].form->example));
		for (size_t k = 0; rows[i].good[k] != NULL; k++)
			if (!schema_form_ok(rows[i].form, rows[i].good[k]))
				fail_msg("refused: '%s', which is %s", rows[i].good[k], rows[i].form->what);
		for (size_t k = 0; rows[i].bad[k] != NULL; k++)
			if (schema_form_ok(rows[i].form, rows[i].bad[k]))
				fail_msg("accepted: '%s' as %s", rows[i].bad[k], rows[i].form->what);
	}
}

/* Whether the pattern is only a part of the form, the rest of which is in its words. */
static bool is_wider(const struct schema_form *form)
{
	return form == &form_mount || form == &form_image_path || form == &form_profile || form == &form_port ||
	       form == &form_signal || form == &form_git_ref;
}

static void check_pattern(const struct schema_form *form, const regex_t *re, const char *s)
{
	bool ok = schema_form_ok(form, s), match = regexec(re, s, 0, NULL, 0) == 0 && strlen(s) <= form->max;

	if (ok != match && !(match && is_wider(form)))
		fail_msg("'%s': the code says %d, the pattern %s says %d", s, ok, form->pattern, match);
}

/* Every string of all rows against every form: code and pattern agree. */
static void code_and_pattern(void **state)
{
	size_t n = 0;
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct schema_form *form = rows[i].form;
		regex_t re;

		if (form->pattern == NULL)
			continue;
		assert_int_equal(regcomp(&re, form->pattern, REG_EXTENDED | REG_NOSUB), 0);
		for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
			for (size_t m = 0; rows[k].good[m] != NULL; m++, n++)
				check_pattern(form, &re, rows[k].good[m]);
			for (size_t m = 0; rows[k].bad[m] != NULL; m++, n++)
				check_pattern(form, &re, rows[k].bad[m]);
		}
		regfree(&re);
	}
	assert_true(n > 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_example),
		cmocka_unit_test(code_and_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
