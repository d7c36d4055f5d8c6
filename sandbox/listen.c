/* SPDX-License-Identifier: Apache-2.0 */
/* init hears of calls that the step's filter refuses (seccomp_unotify(2)), notes each kind once, and answers as the
 * filter would have. Nothing is read of the caller but numbers, and no call is ever let through: whatever becomes of init,
 * a caller that waits for its answer gets an error. */
#include "sandbox/child.h"

#include <string.h>
#include <sys/ioctl.h>

#include <linux/seccomp.h>

#include "profiles/bpf.h"
#include "sandbox/sys.h"

static bool is_known(const struct child *c, int nr)
{
	for (size_t i = 0; i < c->nrefused; i++)
		if (c->refused[i] == nr)
			return true;
	return c->nrefused == SANDBOX_REFUSED_MAX;
}

static void tell(struct child *c, const struct seccomp_data *call)
{
	struct note note = { .kind = NOTE_REFUSED, .code = call->nr };

	if (is_known(c, call->nr))
		return;
	c->refused[c->nrefused++] = call->nr;
	memcpy(note.args, call->args, sizeof note.args);
	child_send(c, &note, NULL, 0);
}

/** The errno that the plain filter has for it; EPERM should that not refuse it. */
static int32_t refusal(const struct plan *plan, const struct seccomp_data *call)
{
	uint32_t action;

	if (bpf_answer(plan->filter, plan->filter_len, call, &action) &&
	    (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO && (action & SECCOMP_RET_DATA) != 0)
		return (int32_t)(action & SECCOMP_RET_DATA);
	return EPERM;
}

void listen_turn(struct child *c)
{
	struct seccomp_notif asked = { 0 };

	/* ENOENT: the caller was killed meanwhile. */
	if (syscall(SYS_ioctl, c->listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0)
		return;
	tell(c, &asked.data);
	struct seccomp_notif_resp answer = { .id = asked.id, .error = -refusal(c->plan, &asked.data) };
	(void)syscall(SYS_ioctl, c->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}
