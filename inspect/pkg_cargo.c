/* SPDX-License-Identifier: Apache-2.0 */
/* Rust's packages as Cargo.lock lists them: tables [[package]] of a few keys, of which Cargo writes each in one form (doc.rust-lang.org/cargo). */
#include <string.h>

#include "inspect/pkg.h"

/** The text between the next quotes; NULL where there is none. */
static char *quoted(char *line)
{
	char *from = strchr(line, '"'), *to = from == NULL ? NULL : strchr(from + 1, '"');

	if (to == NULL)
		return NULL;
	*to = '\0';
	return from + 1;
}

/** What is known of the package at hand. */
struct entry {
	const char *name, *version;
	bool added;
};

static int add(struct pkg_found *f, const struct pkg_file *file, struct entry *e, struct err *err)
{
	const struct package p = { .kind = PACKAGE_CARGO, .name = (char *)e->name, .version = (char *)e->version, .from = file->at, .listed = true };
	auto_buf both = {0};

	if (e->added || e->name == NULL)
		return 0;
	e->added = true;
	/* Where there are several of a name, a dependency says which. */
	buf_addf(&both, "%s %s", e->name, e->version != NULL ? e->version : "");
	if (buf_check(&both, "package", err) < 0 || pkg_add(f, &p, NULL, err) < 0)
		return -1;
	return pkg_alias(f, both.data, err);
}

/** "name", "name 1.0" or "name 1.0 (source)". */
static int want(struct pkg_found *f, char *name, struct err *err)
{
	char *source = strstr(name, " (");

	if (source != NULL)
		*source = '\0';
	return pkg_want(f, name, err);
}

int pkg_read_cargo(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	struct entry e = { .added = true };
	char *at = file->text, *line, *value;
	bool inside = false;

	while ((line = pkg_line(&at)) != NULL) {
		line = pkg_trim(line);
		if (line[0] == '[') {
			if (add(f, file, &e, err) < 0)
				return -1;
			e = (struct entry){ .added = strcmp(line, "[[package]]") != 0 };
			inside = false;
		} else if (line[0] == ']') {
			inside = false;
		} else if (inside) {
			value = quoted(line);
			if (value != NULL && want(f, value, err) < 0)
				return -1;
		} else if (!e.added && text_starts(line, "name = ")) {
			e.name = quoted(line);
		} else if (!e.added && text_starts(line, "version = ")) {
			e.version = quoted(line);
		} else if (!e.added && text_starts(line, "dependencies = [") && strchr(line, ']') == NULL) {
			if (add(f, file, &e, err) < 0)
				return -1;
			inside = e.name != NULL;
		}
	}
	return add(f, file, &e, err);
}
