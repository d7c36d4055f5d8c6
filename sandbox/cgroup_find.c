/* SPDX-License-Identifier: Apache-2.0 */
/* From /proc/self/cgroup (cgroups(7)) and /proc/self/mountinfo (proc_pid_mountinfo(5)) to a directory. */
#include "sandbox/cgroup.h"

#include <errno.h>
#include <string.h>

/** A piece of a line. */
struct span {
	const char *at;
	size_t len;
};

/** Cuts the next field off *line, which ends at a newline. */
static struct span field(const char **line)
{
	struct span f = { *line, strcspn(*line, " \n") };

	*line += f.len;
	if (**line == ' ')
		(*line)++;
	return f;
}

static bool is(struct span f, const char *word)
{
	return f.len == strlen(word) && memcmp(f.at, word, f.len) == 0;
}

/** Whether a list with commas has a word. */
static bool has(struct span list, const char *word)
{
	while (list.len != 0) {
		const char *comma = memchr(list.at, ',', list.len);
		size_t n = comma == NULL ? list.len : (size_t)(comma - list.at);

		if (is((struct span){ list.at, n }, word))
			return true;
		n += comma != NULL;
		list.at += n;
		list.len -= n;
	}
	return false;
}

static const char *next_line(const char *text)
{
	const char *end = strchr(text, '\n');

	return end == NULL ? text + strlen(text) : end + 1;
}

/** "4:memory:/path", or for version 2 "0::/path". */
static bool own_path(const char *cgroups, const char *controller, struct span *ret)
{
	for (const char *line = cgroups; *line != '\0'; line = next_line(line)) {
		size_t n = strcspn(line, "\n");
		const char *first = memchr(line, ':', n);
		const char *second = first == NULL ? NULL : memchr(first + 1, ':', n - (size_t)(first + 1 - line));

		if (second == NULL)
			continue;
		struct span names = { first + 1, (size_t)(second - first - 1) };
		if (controller == NULL ? names.len != 0 : !has(names, controller))
			continue;
		*ret = (struct span){ second + 1, n - (size_t)(second + 1 - line) };
		return true;
	}
	return false;
}

/** "36 35 0:32 ROOT POINT OPTIONS [TAG...] - TYPE SOURCE SUPER_OPTIONS". */
static bool is_mount_of(const char *line, const char *controller, struct span *ret_root, struct span *ret_point)
{
	for (int i = 0; i < 3; i++)
		(void)field(&line);
	*ret_root = field(&line);
	*ret_point = field(&line);
	struct span f;
	do
		f = field(&line);
	while (f.len != 0 && !is(f, "-"));
	f = field(&line);
	(void)field(&line);
	if (controller == NULL)
		return is(f, "cgroup2");
	return is(f, "cgroup") && has(field(&line), controller);
}

/** Appends the way from a mount's point to the cgroup @p own, when the mount shows it. */
static bool join(struct span root, struct span point, struct span own, struct buf *ret)
{
	if (is(root, "/"))
		root.len = 0;
	/* A path with a backslash is an escaped one; "/.." is a cgroup outside of this namespace's root. */
	if (memchr(point.at, '\\', point.len) != NULL || own.len < root.len || memcmp(own.at, root.at, root.len) != 0 ||
	    memmem(own.at, own.len, "/..", 3) != NULL)
		return false;
	own.at += root.len;
	own.len -= root.len;
	if (own.len != 0 && own.at[0] != '/')
		return false;
	buf_add(ret, point.at, point.len);
	if (own.len > 1)
		buf_add(ret, own.at, own.len);
	return !ret->failed;
}

bool cgroup_find(const char *cgroups, const char *mounts, const char *controller, struct buf *ret)
{
	struct span own, root, point;

	if (!own_path(cgroups, controller, &own))
		return false;
	for (const char *line = mounts; *line != '\0'; line = next_line(line))
		if (is_mount_of(line, controller, &root, &point) && join(root, point, own, ret))
			return true;
	return false;
}

bool cgroup_lists(const char *list, const char *word)
{
	while (*list != '\0') {
		size_t n = strcspn(list, " \n");

		if (is((struct span){ list, n }, word))
			return true;
		list += n;
		list += *list != '\0';
	}
	return false;
}

bool cgroup_parse_name(const char *name, pid_t *ret_pid, uint64_t *ret_start)
{
	static const char prefix[] = "glovebox-";
	char *end;

	if (!text_starts(name, prefix))
		return false;
	name += strlen(prefix);
	if (*name < '1' || *name > '9')
		return false;
	errno = 0;
	unsigned long pid = strtoul(name, &end, 10);
	if (errno != 0 || pid > INT32_MAX || end[0] != '-' || end[1] < '0' || end[1] > '9')
		return false;
	unsigned long long start = strtoull(end + 1, &end, 10);
	if (errno != 0 || end[0] != '-' || end[1] == '\0')
		return false;
	*ret_pid = (pid_t)pid;
	*ret_start = start;
	return true;
}
