/* SPDX-License-Identifier: Apache-2.0 */
/* Alpine's packages: lib/apk/db/installed (apk-package(5), apk's database): lines "X:value" of one letter each, packages apart by an empty line. */
#include <string.h>

#include "inspect/licence.h"
#include "inspect/pkg.h"

/** What is known of the package at hand. Its letters point into the text. */
struct entry {
	char *name, *version, *arch, *maintainer, *licence, *needs, *provides;
	bool added;              /**< its lines of files have begun */
};

/** "so:libc.so.1=1 cmd:x>=2 !conflict" word by word, without versions. */
static int each_word(struct pkg_found *f, char *list, int (*take)(struct pkg_found *f, const char *name, struct err *err), struct err *err)
{
	char *word;

	while (list != NULL && (word = pkg_word(&list, " ")) != NULL) {
		word[strcspn(word, "=<>~")] = '\0';
		if (word[0] != '!' && take(f, word, err) < 0)
			return -1;
	}
	return 0;
}

static int add(struct pkg_found *f, const struct pkg_file *file, struct entry *e, struct err *err)
{
	auto_buf licence = {0};

	e->added = true;
	if (e->licence != NULL)
		licence_expression(e->licence, LICENCE_SPDX, &licence);
	if (buf_check(&licence, "licence", err) < 0)
		return -1;
	const struct package p = {
		.kind = PACKAGE_APK, .name = e->name, .version = e->version, .arch = e->arch,
		.supplier = e->maintainer == NULL ? NULL : pkg_person(e->maintainer),
		.licence = licence.len <= PACKAGE_TEXT_MAX ? licence.data : NULL, .from = file->at,
	};
	if (pkg_add(f, &p, NULL, err) < 0 || each_word(f, e->needs, pkg_want, err) < 0)
		return -1;
	return each_word(f, e->provides, pkg_alias, err);
}

/** Where a line's value goes, by its letter. */
static char **field_of(struct entry *e, char letter)
{
	switch (letter) {
	case 'P':
		return &e->name;
	case 'V':
		return &e->version;
	case 'A':
		return &e->arch;
	case 'm':
		return &e->maintainer;
	case 'L':
		return &e->licence;
	case 'D':
		return &e->needs;
	case 'p':
		return &e->provides;
	}
	return NULL;
}

/** "R:name" of a file in the directory of the latest "F:dir". */
static int own(struct pkg_found *f, const char *dir, const char *name, struct err *err)
{
	auto_buf path = {0};

	buf_addf(&path, "%s/%s", dir, name);
	if (buf_check(&path, "path", err) < 0)
		return -1;
	pkg_own_path(f, f->n - 1, path.data);
	return 0;
}

int pkg_read_apk(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	struct entry e = {0};
	char *at = file->text, *line;
	const char *dir = "";

	while ((line = pkg_line(&at)) != NULL) {
		char **field = line[0] == '\0' || line[1] != ':' ? NULL : field_of(&e, line[0]);

		if (line[0] == '\0') {
			if (e.name != NULL && !e.added && add(f, file, &e, err) < 0)
				return -1;
			e = (struct entry){0};
		} else if (field != NULL) {
			*field = line + 2;
		} else if ((line[0] == 'F' || line[0] == 'R') && line[1] == ':') {
			/* Files come last. */
			if (!e.added && add(f, file, &e, err) < 0)
				return -1;
			if (line[0] == 'F')
				dir = line + 2;
			else if (own(f, dir, line + 2, err) < 0)
				return -1;
		}
	}
	return e.name != NULL && !e.added ? add(f, file, &e, err) : 0;
}
