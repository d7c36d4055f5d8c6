/* SPDX-License-Identifier: Apache-2.0 */
/* Which distribution it is: os-release(5). */
#include <errno.h>
#include <string.h>

#include "inspect/pkg.h"

/** Takes quotes off, and the backslashes in them. */
static char *unquote(char *s)
{
	char quote = s[0], *to = s;

	if (quote != '"' && quote != '\'')
		return s;
	for (const char *p = s + 1; *p != '\0' && *p != quote; p++) {
		if (quote == '"' && *p == '\\' && p[1] != '\0')
			p++;
		*to++ = *p;
	}
	*to = '\0';
	return s;
}

static int take(char **to, const char *value, struct err *err)
{
	if (*to != NULL || value[0] == '\0')
		return 0;
	if (strlen(value) > PACKAGE_TEXT_MAX)
		return pkg_bad("a value that is too long", err);
	*to = strdup(value);
	return *to == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "find packages") : 0;
}

int pkg_read_os_release(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	const struct { const char *name; char **to; } fields[] = {
		{ "ID", &f->os_id }, { "VERSION_ID", &f->os_version }, { "NAME", &f->os_name },
	};
	char *at = file->text, *line;

	while ((line = pkg_line(&at)) != NULL) {
		char *value = strchr(line, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		for (size_t i = 0; i < ARRAY_LEN(fields); i++)
			if (strcmp(pkg_trim(line), fields[i].name) == 0 && take(fields[i].to, unquote(pkg_trim(value)), err) < 0)
				return -1;
	}
	return 0;
}
