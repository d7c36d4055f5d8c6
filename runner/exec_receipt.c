/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "runner/exec.h"

void exec_receipt_clear(struct exec_receipt *r)
{
	own_fd(&r->dir);
	free(r->name);
	*r = EXEC_NO_RECEIPT;
}

/** The mode that a file made now would have. Asking means setting it; there is one thread. */
static mode_t mode_of_new(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

static int check_name(int dir, const char *name, mode_t *ret_mode, struct err *err)
{
	struct stat st;

	if (*name == '\0')
		return err_set(err, ERR_USAGE, EISDIR, "give the name of a file");
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return err_set(err, ERR_USAGE, errno, "look at it");
		*ret_mode = mode_of_new();
	} else if (S_ISREG(st.st_mode)) {
		*ret_mode = st.st_mode & 0777;
	} else {
		return err_set(err, ERR_USAGE, 0, "there is something that is no regular file; give the name of a new one");
	}
	/* The command may take hours: what can be known of their end is said before. */
	if (faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return err_set(err, ERR_USAGE, errno, "its directory cannot be written to");
	return 0;
}

int exec_receipt_open(const char *option, const char *path, struct exec_receipt *ret, struct err *err)
{
	auto_exec_receipt r = EXEC_NO_RECEIPT;
	const char *name;

	if (ident_detect(&r.caller, err) < 0)
		return -1;
	if (io_open_parent(AT_FDCWD, path, O_PATH, &r.dir, &name, err) < 0 || check_name(r.dir, name, &r.mode, err) < 0) {
		err->kind = ERR_USAGE;
		return err_ctx(err, "--%s %s", option, path);
	}
	r.name = strdup(name);
	if (r.name == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "--%s", option);
	*ret = r;
	r = EXEC_NO_RECEIPT;
	return 0;
}

int exec_receipt_publish(const struct exec_receipt *r, const void *data, size_t n, struct err *err)
{
	if (ident_caller_begin(&r->caller, err) < 0)
		return -1;
	return ident_caller_done(&r->caller, io_publish(r->dir, r->name, data, n, r->mode, 0, err), err);
}

/** A new reference. A message may hold any bytes. */
static json_t *describe(json_t *report, const struct err *failure)
{
	if (report != NULL)
		return json_incref(report);
	return json_pack("{s:s, s:s, s:s, s:o}", "schema", RECEIPT_SCHEMA, "glovebox", GB_VERSION, "end", "error", "error",
			 json_bytes(failure->msg, strlen(failure->msg)));
}

int exec_receipt_write(const struct exec_receipt *r, json_t *report, const struct err *failure, int exit_code, struct err *err)
{
	auto_buf text = {0};

	if (r->dir == -1)
		return 0;
	auto_json j = describe(report, failure);
	if (j == NULL || json_object_set_new(j, "exitCode", json_integer(exit_code)) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write the receipt");
	if (json_pretty(j, &text, err) < 0)
		return -1;
	return exec_receipt_publish(r, text.data, text.len, err) < 0 ? err_ctx(err, "receipt") : 0;
}
