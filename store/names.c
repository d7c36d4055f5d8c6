/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/** "names/", a name of at most 100 bytes and NUL. */
#define NAME_PATH_SIZE 112
/** Most names that a store may hold. */
#define NAMES_MAX 100000u

static int name_path(const char *name, char out[NAME_PATH_SIZE], struct err *err)
{
	if (!text_is_name(name))
		return err_set(err, ERR_USAGE, 0,
			       "'" SHOWN "' cannot be a name: letters, digits, '.', '_' and '-', a letter or digit first, at most 100", name);
	snprintf(out, NAME_PATH_SIZE, "names/%s", name);
	return 0;
}

int store_sync(struct store *store, struct err *err)
{
	if (syncfs(store->fd) < 0)
		return err_set(err, ERR_INTERNAL, errno, "sync the store");
	return 0;
}

int store_set_name(struct store *store, const char *name, const struct digest *d, struct err *err)
{
	char path[NAME_PATH_SIZE], text[DIGEST_STR_SIZE + 1];

	if (name_path(name, path, err) < 0)
		return -1;
	digest_str(d, text);
	if (!store_has_tree(store, d))
		return err_set(err, ERR_INPUT, 0, "name %s '%s': there is no such tree in the store", text, name);
	if (store_sync(store, err) < 0)
		return -1;
	strcat(text, "\n");
	return io_publish(store->fd, path, text, strlen(text), 0600, IO_DURABLE, err);
}

/** The error for a name that is not there. */
static int no_such_name(struct store *store, const char *name, struct err *err)
{
	char **names = NULL;
	const char *near = NULL;

	if (store_list_names(store, &names, err) < 0)
		return -1;
	near = text_did_you_mean(name, (const char *const *)names);
	if (near != NULL)
		err_fill(err, ERR_INPUT, 0, "no rootfs '%s' in the store (did you mean '%s'?)", name, near);
	else
		err_fill(err, ERR_INPUT, 0, "no rootfs '%s' in the store ('glovebox rootfs list' shows what is)", name);
	store_names_free(names);
	return -1;
}

int store_get_name(struct store *store, const char *name, struct digest *ret, struct err *err)
{
	char path[NAME_PATH_SIZE];
	auto_buf text = {0};

	if (name_path(name, path, err) < 0)
		return -1;
	if (io_read_file(store->fd, path, DIGEST_STR_SIZE, &text, err) < 0) {
		if (err->sys == ENOENT)
			return no_such_name(store, name, err);
		err->kind = ERR_INPUT;
		return -1;
	}
	if (text.len != DIGEST_STR_SIZE || text.data[text.len - 1] != '\n')
		return err_set(err, ERR_INPUT, 0, "%s in the store is damaged: import '%s' again", path, name);
	text.data[text.len - 1] = '\0';
	if (!digest_parse(text.data, ret))
		return err_set(err, ERR_INPUT, 0, "%s in the store is damaged: import '%s' again", path, name);
	return 0;
}

int store_remove_name(struct store *store, const char *name, struct err *err)
{
	char path[NAME_PATH_SIZE];

	if (name_path(name, path, err) < 0)
		return -1;
	if (unlinkat(store->fd, path, 0) < 0)
		return errno == ENOENT ? no_such_name(store, name, err) : err_set(err, ERR_INTERNAL, errno, "remove %s from the store", path);
	auto_fd names = openat(store->fd, "names", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (names < 0 || fsync(names) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make the removal of %s last", path);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/** Appends a copy of @p name to the array, which ends in NULL and has room for that. */
static int add_name(char ***names, size_t n, const char *name, struct err *err)
{
	if (n >= NAMES_MAX)
		return err_set(err, ERR_INTERNAL, 0, "the store has more than %u names", NAMES_MAX);
	char **grown = reallocarray(*names, n + 2, sizeof *grown);
	if (grown != NULL) {
		*names = grown;
		grown[n + 1] = NULL;
		grown[n] = strdup(name);
	}
	return grown == NULL || grown[n] == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "list the names") : 0;
}

static int read_names(DIR *dir, char ***names, size_t *n, struct err *err)
{
	for (;;) {
		errno = 0;
		struct dirent *e = readdir(dir);

		if (e == NULL)
			return errno == 0 ? 0 : err_set(err, ERR_INTERNAL, errno, "list the names");
		/* Other things are unfinished files. */
		if (!text_is_name(e->d_name))
			continue;
		if (add_name(names, *n, e->d_name, err) < 0)
			return -1;
		(*n)++;
	}
}

int store_list_names(struct store *store, char ***ret, struct err *err)
{
	size_t n = 0;
	auto_fd fd = openat(store->fd, "names", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_dir dir = fd < 0 ? NULL : fdopendir(fd);
	char **names = calloc(1, sizeof *names);

	if (dir == NULL || names == NULL) {
		free(names);
		return err_set(err, ERR_INTERNAL, errno, "list the names");
	}
	move_fd(&fd);
	if (read_names(dir, &names, &n, err) < 0) {
		store_names_free(names);
		return -1;
	}
	qsort(names, n, sizeof *names, by_name);
	*ret = names;
	return 0;
}

void store_names_free(char **names)
{
	if (names == NULL)
		return;
	for (char **n = names; *n != NULL; n++)
		free(*n);
	free(names);
}
