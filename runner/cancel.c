/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>

#include "runner/work.h"

int work_check_cancel(int cancel_fd, struct err *err)
{
	struct pollfd p = { .fd = cancel_fd, .events = POLLIN };

	if (cancel_fd >= 0 && poll(&p, 1, 0) > 0)
		return err_set(err, ERR_INTERRUPTED, 0, "interrupted");
	return 0;
}
