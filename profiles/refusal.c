/* SPDX-License-Identifier: Apache-2.0 */
/* A refused call, found again in the profile's text and put in words. No library is needed: a small program with shipped
 * profiles can do it. */
#include "profiles/refusal.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/** The longest name of a system call, and room. */
#define NAME_MAX_BYTES 40

bool refusal_holds(int op, uint64_t value, uint64_t value_two, uint64_t arg)
{
	switch (op) {
	case SCMP_CMP_NE:
		return arg != value;
	case SCMP_CMP_LT:
		return arg < value;
	case SCMP_CMP_LE:
		return arg <= value;
	case SCMP_CMP_EQ:
		return arg == value;
	case SCMP_CMP_GE:
		return arg >= value;
	case SCMP_CMP_GT:
		return arg > value;
	case SCMP_CMP_MASKED_EQ:
		return (arg & value) == value_two;
	default:
		return false;
	}
}

const struct profile_refusal *profile_find_refusal(const struct profile_refusals *r, int nr, const uint64_t args[6])
{
	for (size_t i = 0; i < r->n; i++) {
		const struct profile_refusal *row = &r->rows[i];
		unsigned k = 0;

		if (row->nr != nr)
			continue;
		for (; k < row->nconds; k++) {
			const struct profile_cond *c = &r->conds[row->first_cond + k];

			if (!refusal_holds(c->op, c->value, c->value_two, args[c->index]))
				break;
		}
		if (k == row->nconds)
			return row;
	}
	return NULL;
}

/* ---- in words ------------------------------------------------------------------ */

/** How a call's arguments are shown: f a socket family, d a number, x flags, o a mode, - a pointer. */
static const struct { const char *name, *args; } shapes[] = {
	{ "acct", "-" }, { "add_key", "---dd" }, { "bpf", "d-d" }, { "chmod", "-o" }, { "clone", "x" },
	{ "creat", "-o" }, { "delete_module", "-x" }, { "fanotify_init", "xx" }, { "fchmod", "do" }, { "fchmodat", "d-o" },
	{ "fchmodat2", "d-ox" }, { "fcntl", "ddx" }, { "finit_module", "d-x" }, { "fsmount", "dxx" }, { "fsopen", "-x" },
	{ "ioctl", "dx" }, { "kcmp", "ddd" }, { "keyctl", "d" }, { "mkdir", "-o" }, { "mkdirat", "d-o" }, { "mknod", "-ox" },
	{ "mknodat", "d-ox" }, { "mount", "---x" }, { "move_mount", "d-d-x" }, { "open", "-xo" }, { "open_by_handle_at", "d-x" },
	{ "open_tree", "d-x" }, { "openat", "d-xo" }, { "perf_event_open", "-ddd" }, { "personality", "x" },
	{ "pidfd_getfd", "ddx" }, { "prctl", "d" }, { "prlimit64", "dd" }, { "process_vm_readv", "d" },
	{ "process_vm_writev", "d" }, { "ptrace", "dd" }, { "reboot", "xxx" }, { "setns", "dx" }, { "socket", "fxd" },
	{ "socketpair", "fxd" }, { "umount2", "-x" }, { "unshare", "x" }, { "userfaultfd", "x" }, { "vhangup", "" },
};

static const struct { unsigned number; const char *name; } families[] = {
	{ 1, "AF_UNIX" }, { 2, "AF_INET" }, { 10, "AF_INET6" }, { 16, "AF_NETLINK" }, { 17, "AF_PACKET" }, { 31, "AF_BLUETOOTH" },
	{ 38, "AF_ALG" }, { 40, "AF_VSOCK" }, { 44, "AF_XDP" },
};

/** The identifier at a place of the text, which may stand in quotes. @return its length. */
static size_t name_at(const char *text, size_t n, uint32_t line, uint32_t col, char name[NAME_MAX_BYTES])
{
	const char *p = text, *end = text + n;
	size_t len = 0;

	for (uint32_t l = 1; l < line && p != NULL && p < end; l++) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p == NULL ? NULL : p + 1;
	}
	if (p == NULL || col == 0 || (size_t)(end - p) < col)
		return 0;
	p += col - 1;
	if (*p == '"' || *p == '\'')
		p++;
	while (p < end && len < NAME_MAX_BYTES - 1 && (isalnum((unsigned char)*p) || *p == '_'))
		name[len++] = *p++;
	name[len] = '\0';
	return len;
}

static void add_family(uint64_t number, struct buf *out)
{
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		if (families[i].number == number) {
			buf_adds(out, families[i].name);
			return;
		}
	buf_addf(out, "%" PRIu64, number);
}

static void add_argument(char shape, uint64_t arg, struct buf *out)
{
	switch (shape) {
	case 'f':
		add_family(arg, out);
		break;
	case 'd':
		buf_addf(out, "%" PRId32, (int32_t)arg);
		break;
	case 'x':
		buf_addf(out, "%#" PRIx64, arg);
		break;
	case 'o':
		buf_addf(out, "0%" PRIo64, arg);
		break;
	default:
		buf_adds(out, "…");
	}
}

void profile_describe_call(const struct profile_refusal *rule, const char *text, size_t n, const uint64_t args[6],
			   struct buf *out)
{
	char name[NAME_MAX_BYTES];
	const char *shape = "-";

	if (name_at(text, n, rule->line, rule->col, name) == 0) {
		buf_addf(out, "system call %u", rule->nr);
		return;
	}
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if (strcmp(shapes[i].name, name) == 0)
			shape = shapes[i].args;
	buf_addf(out, "%s(", name);
	for (size_t i = 0; shape[i] != '\0' && i < 6; i++) {
		buf_adds(out, i == 0 ? "" : ", ");
		add_argument(shape[i], args[i], out);
	}
	buf_adds(out, ")");
}
