/* SPDX-License-Identifier: Apache-2.0 */
/* Passphrases: from a descriptor or from the terminal; never from arguments or the environment, which others can read. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>

#include "attest/attest.h"
#include "cli/cli.h"

/** Control-C, which is a byte like others while the terminal makes no signals. */
#define INTERRUPT 3

int cli_passphrase_fd(const struct args *args, int *ret, struct err *err)
{
	const char *value = args_get(args, "passphrase-fd");
	char *end;

	if (value == NULL) {
		*ret = -1;
		return 0;
	}
	errno = 0;
	long fd = strtol(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || fd > INT32_MAX)
		return err_set(err, ERR_USAGE, 0, "--passphrase-fd %s: not the number of a descriptor", value);
	/* No helper that is started later may inherit it. */
	if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_set(err, ERR_USAGE, errno, "--passphrase-fd %ld", fd);
	*ret = (int)fd;
	return 0;
}

/** Reads one byte, unless @p hangup_fd says that nobody waits. @return 1, 0 at the end, or -1. */
static int read_byte(int fd, int hangup_fd, char *c, struct err *err)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = hangup_fd, .events = POLLIN } };

	for (;;) {
		if (poll(fds, ARRAY_LEN(fds), -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_set(err, ERR_INTERNAL, errno, "wait for the passphrase");
		}
		if (fds[1].revents != 0)
			return err_set(err, ERR_INTERRUPTED, 0, "interrupted");
		ssize_t n = read(fd, c, 1);
		if (n >= 0)
			return (int)n;
		if (errno != EINTR && errno != EAGAIN)
			return err_set(err, ERR_USAGE, errno, "read the passphrase");
	}
}

/** Reads up to the end of the line, byte by byte: what follows is somebody else's. */
static int read_line(int fd, int hangup_fd, struct buf *ret, struct err *err)
{
	char c;
	int got;

	while ((got = read_byte(fd, hangup_fd, &c, err)) == 1 && c != '\n') {
		if (c == INTERRUPT)
			return err_set(err, ERR_INTERRUPTED, 0, "interrupted");
		if (c == '\0')
			return err_set(err, ERR_USAGE, 0, "the passphrase has a NUL byte in it");
		if (ret->len == ATTEST_PASSPHRASE_MAX)
			return err_set(err, ERR_USAGE, 0, "the passphrase is longer than %d bytes", ATTEST_PASSPHRASE_MAX);
		buf_addc(ret, c);
	}
	if (got < 0)
		return -1;
	if (buf_check(ret, "passphrase", err) < 0)
		return -1;
	return ret->len > 0 ? 0 : err_set(err, ERR_USAGE, 0, "the passphrase is empty");
}

static void say(int tty, const char *text)
{
	(void)!write(tty, text, strlen(text));
}

static int ask_once(int tty, const char *prompt, int hangup_fd, struct buf *ret, struct err *err)
{
	struct termios before, quiet;

	if (tcgetattr(tty, &before) < 0)
		return err_set(err, ERR_USAGE, errno, "ask for the passphrase at the terminal");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL | ISIG);
	quiet.c_lflag |= ICANON;
	/* Else it would be read only with the rest of its line. */
	quiet.c_cc[VEOL] = INTERRUPT;
	if (tcsetattr(tty, TCSAFLUSH, &quiet) < 0)
		return err_set(err, ERR_USAGE, errno, "turn off the terminal's echo");
	say(tty, prompt);
	int result = read_line(tty, hangup_fd, ret, err);
	(void)tcsetattr(tty, TCSAFLUSH, &before);
	say(tty, "\n");
	return result;
}

/** A second time, for a passphrase that nothing can be checked against yet. */
static int ask_again(int tty, int hangup_fd, const struct buf *first, struct err *err)
{
	struct buf second = {0};
	int result = buf_room(&second, ATTEST_PASSPHRASE_MAX + 1) == NULL ? buf_check(&second, "passphrase", err)
		: ask_once(tty, "The same again: ", hangup_fd, &second, err);

	if (result == 0 && (first->len != second.len || memcmp(first->data, second.data, first->len) != 0))
		result = err_set(err, ERR_USAGE, 0, "the two passphrases differ");
	buf_wipe(&second);
	return result;
}

int cli_passphrase(void *arg, const char *what, int hangup_fd, struct buf *ret, struct err *err)
{
	const struct cli_passphrase *from = arg;
	auto_buf prompt = {0};

	if (from->fd >= 0)
		return read_line(from->fd, hangup_fd, ret, err) < 0 ? err_ctx(err, "--passphrase-fd %d", from->fd) : 0;
	auto_fd tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty < 0)
		return err_set(err, ERR_USAGE, 0, "%s: a passphrase is needed, and there is no terminal to ask at; "
			       "give --passphrase-fd N", what);
	buf_adds(&prompt, "Passphrase for ");
	text_printable(&prompt, what, strlen(what));
	buf_adds(&prompt, ": ");
	if (buf_check(&prompt, "prompt", err) < 0 || ask_once(tty, prompt.data, hangup_fd, ret, err) < 0)
		return -1;
	return from->twice ? ask_again(tty, hangup_fd, ret, err) : 0;
}
