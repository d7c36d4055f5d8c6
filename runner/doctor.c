/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/doctor.h"

#include <errno.h>
#include <string.h>

/** Written, to see whether there is room: more than what the trial itself makes. */
#define ROOM (1u << 20)

/** A store with no room lets directories be made, often, and files not be written. */
static int check_room(const struct store_scratch *scratch, struct err *err)
{
	auto_free char *data = malloc(ROOM);

	if (data == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "try the store");
	memset(data, 'r', ROOM); /* zeros could become a hole */
	return io_publish(store_scratch_fd(scratch), "room", data, ROOM, 0600, 0, err);
}

static int try_store(struct store *store, struct store_scratch **ret, struct err *err)
{
	if (store_scratch_open(store, ret, err) == 0 && check_room(*ret, err) == 0)
		return 0;
	if (err->sys == ENOSPC || err->sys == EDQUOT)
		return sandbox_denied(err, CAUSE_STORE_FULL, err->sys, "write to the store", NULL);
	return -1;
}

int doctor_checkup(struct store *store, bool limits_wanted, struct sandbox_check ret[CHECKS], struct err *err)
{
	const struct ident *id = store_ident(store);
	auto_store_scratch scratch = NULL;

	if (try_store(store, &scratch, err) < 0)
		return -1;
	const struct sandbox_checkup_conf conf = {
		.base_fd = store_fd(store), .dir = store_scratch_path(scratch), .outer_uid = id->step_uid, .outer_gid = id->step_gid,
		.limits_wanted = limits_wanted,
	};
	return sandbox_checkup(&conf, ret, err);
}
