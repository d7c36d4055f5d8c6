/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "inspect/pkg.h"

char *pkg_word(char **at, const char *ends)
{
	char *word = *at;

	if (word == NULL || *word == '\0')
		return NULL;
	size_t n = strcspn(word, ends);
	*at = word[n] == '\0' ? NULL : word + n + 1;
	word[n] = '\0';
	return word;
}

char *pkg_line(char **at)
{
	char *line = *at;

	if (line == NULL || *line == '\0')
		return NULL;
	char *end = strchr(line, '\n');
	*at = end == NULL ? NULL : end + 1;
	if (end == NULL)
		end = line + strlen(line);
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	*end = '\0';
	return line;
}

char *pkg_trim(char *s)
{
	size_t n;

	s += strspn(s, " \t\r\n");
	for (n = strlen(s); n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL; n--)
		s[n - 1] = '\0';
	return s;
}

/** Takes a line of a stanza. */
static void take_field(struct stanza *s, char *line)
{
	char *colon = strchr(line, ':');

	if (colon == NULL || colon == line || s->n == STANZA_MAX)
		return;
	*colon = '\0';
	s->v[s->n].name = pkg_trim(line);
	s->v[s->n].value = colon + 1;
	s->n++;
}

bool stanza_next(char **at, struct stanza *s)
{
	char *line, *end = NULL;

	s->n = 0;
	while ((line = pkg_line(at)) != NULL) {
		bool more = line[0] == ' ' || line[0] == '\t';
		char *line_end = line + strlen(line);

		if (line[strspn(line, " \t")] == '\0' && !more) {
			if (s->n > 0)
				return true;
			continue;
		}
		/* The line before was cut off where this one begins: they become one again. */
		if (more && end != NULL)
			memset(end, '\n', (size_t)(line - end));
		else if (!more)
			take_field(s, line);
		end = line_end;
	}
	return s->n > 0;
}

char *stanza_get(const struct stanza *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcasecmp(s->v[i].name, name) == 0)
			return s->v[i].value;
	return NULL;
}

int pkg_bad(const char *what, struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "%s", what);
}
