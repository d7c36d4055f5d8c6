/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

/** What the new process is told. */
struct task {
	const struct ident *id;
	const char *path;
	const struct key_passphrase *passphrase;
};

/** What it says at first, and again before each bundle. The key's id comes with the first, the bundle's size with the others. */
struct reply {
	int result;
	struct err err;
	char id[45];
	uint64_t size;
};

/* ---- the process apart --------------------------------------------------- */

static int read_encrypted(const struct task *t, const struct buf *pem, int sock, struct key **ret, struct err *err)
{
	/* So large from the start that it never moves: nothing stays behind in memory that was let go of. */
	auto_secret passphrase = BUF_LIMIT(ATTEST_PASSPHRASE_MAX + 2);

	if (t->passphrase == NULL)
		return err_set(err, ERR_USAGE, 0, "%s: the key is encrypted", t->path);
	if (buf_room(&passphrase, ATTEST_PASSPHRASE_MAX + 1) == NULL)
		return buf_check(&passphrase, "passphrase", err);
	if (t->passphrase->ask(t->passphrase->arg, t->path, sock, &passphrase, err) < 0)
		return -1;
	return key_read_encrypted(pem->data, pem->len, &passphrase, t->path, ret, err);
}

/** Lets go of everything of the caller's but the socket: locks, pipes that somebody waits to see closed, the terminal. */
static int let_go(int sock)
{
	return (sock == 0 || close_range(0, (unsigned)sock - 1, 0) == 0) && close_range((unsigned)sock + 1, ~0u, 0) == 0 ? 0 : -1;
}

/** A key in a token. Its library opens what it needs, and keeps it; so everything else is closed before, and nothing after. */
static int load_token(const struct task *t, int sock, struct key **ret, struct err *err)
{
	auto_secret pin = BUF_LIMIT(ATTEST_PASSPHRASE_MAX + 2);
	bool asks;

	if (key_token_asks(t->path, &asks, err) < 0)
		return -1;
	if (buf_room(&pin, ATTEST_PASSPHRASE_MAX + 1) == NULL)
		return buf_check(&pin, "PIN", err);
	if (asks && t->passphrase != NULL && t->passphrase->ask(t->passphrase->arg, "the token", sock, &pin, err) < 0)
		return -1;
	/* A token's owner is the caller, in this process from now on. */
	if (ident_caller_begin(t->id, err) < 0)
		return -1;
	if (let_go(sock) < 0)
		return err_set(err, ERR_INTERNAL, errno, "close descriptors");
	/* Nothing that the library opens may become what somebody takes for standard error. */
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fd != sock && open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
			return err_set(err, ERR_INTERNAL, errno, "open /dev/null");
	return key_open_token(t->path, asks ? &pin : NULL, ret, err);
}

/** The key's file. What its owner leaves open to others may be anybody's by now; ssh(1) asks the same. */
static int read_file(const struct task *t, struct buf *pem, struct err *err)
{
	struct stat st;

	if (stat(t->path, &st) == 0 && st.st_uid == t->id->caller_uid && (st.st_mode & 077) != 0)
		return err_set(err, ERR_USAGE, 0, "%s: the private key is open to others than its owner (mode %04o); chmod 600 it, and make a new one "
			       "where others may have read it", t->path, (unsigned)st.st_mode & 07777);
	return io_read_file(AT_FDCWD, t->path, ATTEST_KEY_MAX, pem, err);
}

static int load(const struct task *t, int sock, struct key **ret, struct err *err)
{
	auto_secret pem = BUF_LIMIT(ATTEST_KEY_MAX + (256 << 10));

	if (key_is_token(t->path))
		return load_token(t, sock, ret, err);
	if (ident_read_begin(t->id, err) < 0)
		return -1;
	if (ident_read_done(t->id, read_file(t, &pem, err), err) < 0)
		return -1;
	if (pem.data != NULL && key_is_encrypted(pem.data, pem.len))
		return read_encrypted(t, &pem, sock, ret, err);
	return key_read_private(pem.data == NULL ? "" : pem.data, pem.len, t->path, ret, err);
}

/** Receives one statement and signs it. @return -1 where there is no more to do, else what the reply says. */
static int answer(const struct key *key, int sock, struct buf *bundle, struct reply *r)
{
	struct err ignored = {0};
	uint64_t n;
	auto_buf statement = {0};

	if (apart_receive(sock, &n, sizeof n, &ignored) < 0 || n > ATTEST_BUNDLE_MAX || buf_room(&statement, n) == NULL ||
	    apart_receive(sock, statement.data, n, &ignored) < 0)
		return -1;
	buf_seal(&statement, n);
	r->result = attest_sign(key, statement.data, statement.len, bundle, &r->err);
	r->size = bundle->len;
	return 0;
}

static void sign_until_the_end(const struct key *key, int sock)
{
	struct err ignored = {0};

	for (;;) {
		struct reply r = {0};
		auto_buf bundle = {0};

		if (answer(key, sock, &bundle, &r) < 0 || apart_send(sock, &r, sizeof r, &ignored) < 0 ||
		    (r.result == 0 && apart_send(sock, bundle.data, bundle.len, &ignored) < 0))
			return;
	}
}

static void stay(const void *arg, int sock)
{
	const struct task *t = arg;
	struct reply r = {0};
	struct err ignored = {0};
	auto_key key = NULL;

	r.result = load(t, sock, &key, &r.err);
	if (r.result == 0)
		r.result = key_id(key, r.id, &r.err);
	if (apart_send(sock, &r, sizeof r, &ignored) == 0 && r.result == 0 && (key_is_token(t->path) || let_go(sock) == 0))
		sign_until_the_end(key, sock);
}

/* ---- this side ------------------------------------------------------------- */

/** Waits for the first word, unless the caller has had enough. */
static int await_word(int sock, int cancel_fd, struct err *err)
{
	struct pollfd fds[] = { { .fd = sock, .events = POLLIN }, { .fd = cancel_fd, .events = POLLIN } };

	while (poll(fds, ARRAY_LEN(fds), -1) < 0)
		if (errno != EINTR)
			return err_set(err, ERR_INTERNAL, errno, "wait for the signing key");
	return fds[1].revents != 0 ? err_set(err, ERR_INTERRUPTED, 0, "interrupted") : 0;
}

static int receive_reply(int sock, struct reply *ret, struct err *err)
{
	struct reply r;

	if (apart_receive(sock, &r, sizeof r, err) < 0)
		return -1;
	if (r.result < 0) {
		*err = r.err;
		return -1;
	}
	*ret = r;
	return 0;
}

int signer_start(const struct ident *id, const char *path, const struct key_passphrase *passphrase, int cancel_fd,
		 struct signer *ret, struct err *err)
{
	const struct task task = { id, path, passphrase };
	auto_signer s = SIGNER_NONE;
	struct reply hello;

	if (apart_start(stay, &task, &s.apart, err) < 0)
		return -1;
	if (await_word(s.apart.sock, cancel_fd, err) < 0)
		return -1;
	if (receive_reply(s.apart.sock, &hello, err) < 0)
		return -1;
	memcpy(s.key_id, hello.id, sizeof s.key_id);
	*ret = s;
	s = SIGNER_NONE;
	return 0;
}

int signer_sign(const struct signer *signer, const struct buf *statement, struct buf *bundle, struct err *err)
{
	uint64_t n = statement->len;
	struct reply r;
	auto_buf made = {0};

	if (apart_send(signer->apart.sock, &n, sizeof n, err) < 0 ||
	    apart_send(signer->apart.sock, statement->data, statement->len, err) < 0 ||
	    receive_reply(signer->apart.sock, &r, err) < 0)
		return err_ctx(err, "sign");
	if (buf_room(&made, r.size) == NULL)
		return buf_check(&made, "bundle", err);
	if (apart_receive(signer->apart.sock, made.data, r.size, err) < 0)
		return err_ctx(err, "sign");
	buf_add(bundle, made.data, r.size);
	return buf_check(bundle, "bundle", err);
}

void signer_end(struct signer *signer)
{
	apart_end(&signer->apart);
}
