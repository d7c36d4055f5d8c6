/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at work in a store, so that garbage collection takes nothing from under somebody's hands. flock(2): the kernel lets go of a lock with
 * its owner. Everybody holds objects/ shared while what they have found or put there is noted nowhere yet; collection holds it alone. A step
 * may run for hours: for that time its run lets go, having noted what it will come back to (store_scratch_use()). trees/ is the
 * gate: who waits for objects/ holds it, so that a collection gets its turn however many runs come and go. */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

static int lock_dir(struct store *store, const char *name, int how, int *ret_fd, struct err *err)
{
	auto_fd fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "open %s in the store", name);
	while (flock(fd, how) < 0)
		if (errno != EINTR)
			return err_set(err, ERR_INTERNAL, errno, "lock %s in the store", name);
	*ret_fd = move_fd(&fd);
	return 0;
}

static int take(struct store *store, int how, struct err *err)
{
	auto_fd gate = -1;

	return lock_dir(store, "trees", how, &gate, err) < 0 ? -1 : lock_dir(store, "objects", how, &store->busy, err);
}

int store_lock_alone(struct store *store, struct err *err)
{
	store_pause(store);
	return take(store, LOCK_EX, err);
}

void store_pause(struct store *store)
{
	if (store->busy == -1)
		return;
	/* Not by closing alone: a process that was forked meanwhile may have the descriptor, too. */
	(void)flock(store->busy, LOCK_UN);
	close(store->busy);
	store->busy = -1;
}

int store_resume(struct store *store, struct err *err)
{
	return store->busy != -1 ? 0 : take(store, LOCK_SH, err);
}

int store_hold_rootfs(struct store *store, const struct digest *d, int *ret_fd, struct err *err)
{
	char path[sizeof "rootfs/" + DIGEST_HEX_SIZE], hex[DIGEST_HEX_SIZE];
	struct stat st;
	auto_fd fd = -1;

	snprintf(path, sizeof path, "rootfs/%s", digest_hex(d, hex));
	if (lock_dir(store, path, LOCK_SH, &fd, err) < 0)
		return -1;
	if (fstat(fd, &st) == 0)
		store_freshen(fd, &st);
	*ret_fd = move_fd(&fd);
	return 0;
}
