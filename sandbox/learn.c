/* SPDX-License-Identifier: Apache-2.0 */
/* The parent hears of each call of a command that is learnt from, and answers as the command's filter would (seccomp_unotify(2)).
 * It decides by registers alone, never by memory, which others could change meanwhile; what a tracer changes is a call that begins anew,
 * and is asked about anew. Whatever becomes of this process: a call without a listener fails (ENOSYS), and all in the
 * sandbox dies with it. */
#include "sandbox/child.h"

#include <string.h>
#include <sys/ioctl.h>

#include <linux/seccomp.h>

#include "profiles/bpf.h"
#include "sandbox/sys.h"

/** Linux 6.6: who waits here and who waits there take turns on one processor, which halves the price of a call. */
#define SYS_NOTIF_SET_FLAGS SECCOMP_IOW(4, uint64_t)
#define SYS_NOTIF_SYNC_WAKE_UP 1ul

void learn_begin(int listener)
{
	(void)ioctl(listener, SYS_NOTIF_SET_FLAGS, SYS_NOTIF_SYNC_WAKE_UP);
}

/** EPERM for a call whose answer could not be given in this way: the program then would have killed its caller. */
static void answer(const struct plan *plan, struct seccomp_notif_resp *to, const struct seccomp_data *call)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;
	bool known = bpf_answer(plan->filter, plan->filter_len, call, &action);
	uint32_t kind = action & SECCOMP_RET_ACTION_FULL;

	if (known && (kind == SECCOMP_RET_ALLOW || kind == SECCOMP_RET_LOG))
		to->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else if (known && kind == SECCOMP_RET_ERRNO)
		to->error = -(int32_t)(action & SECCOMP_RET_DATA);
	else
		to->error = -EPERM;
}

void learn_turn(const struct sandbox_conf *conf, const struct plan *plan, int listener)
{
	struct seccomp_notif asked = { 0 };
	struct seccomp_notif_resp to = { 0 };
	struct sandbox_call call;

	/* ENOENT: the caller was killed meanwhile. */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0)
		return;
	call = (struct sandbox_call){ .nr = asked.data.nr, .caller = (pid_t)asked.pid };
	memcpy(call.args, asked.data.args, sizeof call.args);
	conf->learn(conf->learn_arg, &call);
	to.id = asked.id;
	answer(plan, &to, &asked.data);
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &to);
}
