/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/internal.h"

#include <errno.h>
#include <fcntl.h>

int scratch_file(struct store *store, int *ret, struct err *err)
{
	auto_store_scratch scratch = NULL;

	if (store_scratch_open(store, &scratch, err) < 0)
		return -1;
	int fd = openat(store_scratch_fd(scratch), "file", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a file in the store's scratch");
	*ret = fd;
	return 0;
}
