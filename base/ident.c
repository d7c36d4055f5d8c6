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
	bool many = false;
	struct ident id = { .caller_uid = getuid(), .caller_gid = getgid() };

	if (id.caller_uid != geteuid() || id.caller_gid != getegid())
		return err_set(err, ERR_USAGE, 0,
			       "glovebox is started setuid or setgid: it never needs that; remove the bit from the program");
	if (id.caller_uid == 0 && maps_many(&many, err) < 0)
		return -1;
	id.real_root = many;
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

/** What lets one read everybody's files, the narrower first: docker run, for one, leaves its root only the other. */
static const cap_value_t read_caps[] = { CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE };

/** Raises @p cap where root has it in reserve; @p ret tells. */
static int raise_held(cap_t caps, cap_value_t cap, bool *ret)
{
	cap_flag_value_t held;

	if (cap_get_flag(caps, cap, CAP_PERMITTED, &held) < 0)
		return -1;
	*ret = held == CAP_SET;
	return *ret ? cap_set_flag(caps, CAP_EFFECTIVE, 1, &cap, CAP_SET) : 0;
}

/** Raises, in @p caps, the first of read_caps that root has in reserve here, none if none; and what tells that nobody writes. */
static int raise_reading(cap_t caps)
{
	bool held = false;

	for (size_t i = 0; i < ARRAY_LEN(read_caps) && !held; i++)
		if (raise_held(caps, read_caps[i], &held) < 0)
			return -1;
	return held ? raise_held(caps, CAP_LEASE, &held) : 0;
}

int ident_read_begin(const struct ident *id, struct err *err)
{
	if (!id->real_root)
		return 0;
	auto_cap caps = cap_get_proc();
	if (caps == NULL || raise_reading(caps) < 0 || cap_set_proc(caps) < 0)
		return err_set(err, ERR_HOST, errno, "take the right to read inputs");
	return 0;
}

int ident_read_end(const struct ident *id, struct err *err)
{
	if (!id->real_root)
		return 0;
	auto_cap caps = cap_get_proc();
	const cap_value_t lease = CAP_LEASE;
	if (caps == NULL || cap_set_flag(caps, CAP_EFFECTIVE, ARRAY_LEN(read_caps), read_caps, CAP_CLEAR) < 0 ||
	    cap_set_flag(caps, CAP_EFFECTIVE, 1, &lease, CAP_CLEAR) < 0 ||
	    cap_set_proc(caps) < 0)
		return err_set(err, ERR_HOST, errno, "give up the right to read inputs");
	return 0;
}

int ident_caller_begin(const struct ident *id, struct err *err)
{
	return id->real_root ? become(id->caller_uid, id->caller_gid, err) : 0;
}

int ident_caller_end(const struct ident *id, struct err *err)
{
	return id->real_root ? become(id->step_uid, id->step_gid, err) : 0;
}

static int done(int (*end)(const struct ident *, struct err *), const struct ident *id, int result, struct err *err)
{
	struct err late = {0};

	if (end(id, &late) == 0 || result < 0)
		return result;
	*err = late;
	return -1;
}

int ident_read_done(const struct ident *id, int result, struct err *err)
{
	return done(ident_read_end, id, result, err);
}

int ident_caller_done(const struct ident *id, int result, struct err *err)
{
	return done(ident_caller_end, id, result, err);
}
