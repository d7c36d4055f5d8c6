/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ident.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/io.h"

static inline void own_cap(cap_t *c)
{
	if (*c != NULL)
		cap_free(*c);
}
#define auto_cap __attribute__((cleanup(own_cap))) cap_t

/** Whether the first line of uid_map(5) maps more than one id starting at 0. */
static int maps_many(bool *ret, struct err *err)
{
	unsigned long inside, outside, count;
	auto_buf map = {0};

	if (io_read_file(AT_FDCWD, "/proc/self/uid_map", 64 << 10, &map, err) < 0) {
		err->kind = ERR_HOST;
		return err_ctx(err, "find out whose rights this process has (is /proc mounted?)");
	}
	*ret = map.len > 0 && sscanf(map.data, "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 &&
	       count > 1;
	return 0;
}

int ident_detect(struct ident *ret, struct err *err)
{
	bool many;
	struct ident id = { .caller_uid = getuid(), .caller_gid = getgid() };

	if (id.caller_uid != geteuid() || id.caller_gid != getegid())
		return err_set(err, ERR_USAGE, 0,
			       "glovebox is started setuid or setgid: it never needs that; remove the bit from the program");
	if (maps_many(&many, err) < 0)
		return -1;
	id.real_root = id.caller_uid == 0 && many;
	id.step_uid = id.real_root ? IDENT_STEP_ID : id.caller_uid;
	id.step_gid = id.real_root ? IDENT_STEP_ID : id.caller_gid;
	*ret = id;
	return 0;
}

/** Sets the effective ids; file system ids follow. Group first while the rights last, and the other way back. */
static int become(uid_t uid, gid_t gid, struct err *err)
{
	if ((geteuid() != 0 && seteuid(0) < 0) || setegid(gid) < 0 || seteuid(uid) < 0)
		return err_set(err, ERR_HOST, errno, "take the ids %u:%u", (unsigned)uid, (unsigned)gid);
	/* A change of ids clears it, and a process must be dumpable to write its own uid_map (proc(5)).
	 * The saved uid 0 still keeps everybody but root from tracing this one. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return err_set(err, ERR_HOST, errno, "stay dumpable");
	return 0;
}

int ident_drop(const struct ident *id, struct err *err)
{
	if (!id->real_root)
		return 0;
	if (id->step_uid == 0 || id->step_gid == 0)
		return err_set(err, ERR_USAGE, 0,
			       "steps cannot run as root: give an unprivileged --step-user UID:GID");
	if (setgroups(0, NULL) < 0)
		return err_set(err, ERR_HOST, errno, "drop supplementary groups");
	return become(id->step_uid, id->step_gid, err);
}

/** Sets or clears CAP_DAC_READ_SEARCH in the effective set. */
static int set_read_search(cap_flag_value_t value, struct err *err)
{
	static const cap_value_t read_search[] = { CAP_DAC_READ_SEARCH };
	auto_cap caps = cap_get_proc();

	if (caps == NULL || cap_set_flag(caps, CAP_EFFECTIVE, 1, read_search, value) < 0 || cap_set_proc(caps) < 0)
		return err_set(err, ERR_HOST, errno, "%s CAP_DAC_READ_SEARCH", value == CAP_SET ? "raise" : "lower");
	return 0;
}

/** Whether root's permitted set holds it at all (a container may have taken it). */
static bool may_read_search(void)
{
	cap_flag_value_t value = CAP_CLEAR;
	auto_cap caps = cap_get_proc();

	return caps != NULL && cap_get_flag(caps, CAP_DAC_READ_SEARCH, CAP_PERMITTED, &value) == 0 &&
	       value == CAP_SET;
}

int ident_read_begin(const struct ident *id, struct err *err)
{
	return id->real_root && may_read_search() ? set_read_search(CAP_SET, err) : 0;
}

int ident_read_end(const struct ident *id, struct err *err)
{
	return id->real_root && may_read_search() ? set_read_search(CAP_CLEAR, err) : 0;
}

int ident_caller_begin(const struct ident *id, struct err *err)
{
	return id->real_root ? become(0, 0, err) : 0;
}

int ident_caller_end(const struct ident *id, struct err *err)
{
	return id->real_root ? become(id->step_uid, id->step_gid, err) : 0;
}
