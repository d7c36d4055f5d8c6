/* SPDX-License-Identifier: Apache-2.0 */
/* gen_builtin FLOOR.yaml FILE.yaml…: a tool of the build, which writes the floor and the shipped profiles as C to its
 * output, text and filter, for every architecture, of which the preprocessor takes one: what is generated does not
 * depend on the host. Being a program of its own, it prints and exits. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/own.h"
#include "profiles/compile.h"
#include "spec/yaml.h"

/** Longest name of a profile. */
#define NAME_MAX_LEN 32

/** What is read here is the tree that this tool is built from: it needs no confined reader, which not every building host has. */
int yaml_read(const char *file, const char *text, size_t n, struct node **ret, struct err *err)
{
	return yaml_read_here(file, text, n, ret, err);
}

/** The preprocessor's word for each architecture of arch_at(). */
static const char *const arch_macros[] = { "__x86_64__", "__aarch64__" };

struct shipped {
	char name[NAME_MAX_LEN];
	struct buf text;
	struct digest text_digest;
};

/** The file's name without directories and ".yaml"; it is the profile's and part of C names. */
static int take_name(const char *path, char name[NAME_MAX_LEN])
{
	const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
	size_t n = strcspn(base, ".");

	if (strcmp(base + n, ".yaml") != 0 || n == 0 || n >= NAME_MAX_LEN || strspn(base, "abcdefghijklmnopqrstuvwxyz") != n)
		return -1;
	memcpy(name, base, n);
	name[n] = '\0';
	return 0;
}

static void write_bytes(struct buf *out, const void *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s%u,", i % 24 == 0 ? "\n\t" : "", ((const unsigned char *)data)[i]);
}

static void write_digest(struct buf *out, const struct digest *d)
{
	buf_adds(out, "{ {");
	write_bytes(out, d->b, sizeof d->b);
	buf_adds(out, " } }");
}

static void write_text(struct buf *out, const struct shipped *s)
{
	/* A closing NUL for readers that want a string. */
	buf_addf(out, "static const char %s_text[] = {", s->name);
	write_bytes(out, s->text.data, s->text.len + 1);
	buf_adds(out, "\n};\n");
}

static void write_program(struct buf *out, const char *name, const struct profile_program *p)
{
	buf_addf(out, "static const struct sock_filter %s_bpf[] = {\n", name);
	for (size_t i = 0; i < p->bpf_len; i++)
		buf_addf(out, "\t{ 0x%02x, %u, %u, 0x%x },\n", p->bpf[i].code, p->bpf[i].jt, p->bpf[i].jf, p->bpf[i].k);
	buf_adds(out, "};\n");
	buf_addf(out, "#define %s_bpf_digest ", name);
	auto_buf digest = {0};
	write_digest(&digest, &p->bpf_digest);
	for (const char *c = digest.data; c != NULL && *c != '\0'; c++)
		buf_adds(out, *c == '\n' ? " \\\n" : (char[]){ *c, '\0' });
	buf_adds(out, "\n");
}

/** Numbers, and no pointers: what is never looked at costs a starting program nothing. */
static void write_refusals(struct buf *out, const char *name, const struct profile_program *p)
{
	buf_addf(out, "static const struct profile_refusal %s_refusals[] = {\n", name);
	for (size_t i = 0; i < p->nrefusals; i++) {
		const struct profile_refusal *r = &p->refusals[i];

		buf_addf(out, "\t{ %u, %u, %u, %u, %u },\n", r->nr, r->nconds, r->first_cond, r->line, r->col);
	}
	buf_addf(out, "\t{ 0 },\n};\nstatic const struct profile_cond %s_conds[] = {\n", name);
	for (size_t i = 0; i < p->nconds; i++) {
		const struct profile_cond *c = &p->conds[i];

		buf_addf(out, "\t{ %u, %u, 0x%" PRIx64 ", 0x%" PRIx64 " },\n", c->index, c->op, c->value, c->value_two);
	}
	/* No array of C is empty. */
	buf_adds(out, "\t{ 0 },\n};\n");
}

static int write_arch(struct buf *out, const struct arch *arch, const char *path, struct shipped *s, struct err *err)
{
	auto_profile_program p = {0};

	if (profile_compile_for(arch, path, s->text.data, s->text.len, &p, err) < 0)
		return -1;
	s->text_digest = p.text_digest;
	write_program(out, s->name, &p);
	write_refusals(out, s->name, &p);
	return 0;
}

static void write_row(struct buf *out, const struct shipped *s)
{
	buf_addf(out, "{ .name = \"%s\", .text = %s_text, .text_len = sizeof %s_text - 1,\n  .bpf = %s_bpf,"
		      " .bpf_len = sizeof %s_bpf / sizeof %s_bpf[0],\n"
		      "  .refusals = { %s_refusals, sizeof %s_refusals / sizeof %s_refusals[0] - 1, %s_conds },\n"
		      "  .bpf_digest = %s_bpf_digest,\n  .text_digest = ",
		 s->name, s->name, s->name, s->name, s->name, s->name, s->name, s->name, s->name, s->name, s->name);
	write_digest(out, &s->text_digest);
	buf_adds(out, " }");
}

/** The first of @p s is the floor. */
static void write_table(struct buf *out, const struct shipped *s, size_t n)
{
	buf_adds(out, "const struct profile_builtin profile_builtin_floor = ");
	write_row(out, &s[0]);
	buf_adds(out, ";\nconst struct profile_builtin profile_builtin_table[] = {\n");
	for (size_t i = 1; i < n; i++) {
		write_row(out, &s[i]);
		buf_adds(out, ",\n");
	}
	buf_addf(out, "};\nconst size_t profile_builtin_count = %zu;\n", n - 1);
}

static int generate(char *const *paths, struct shipped *s, size_t n, struct buf *out, struct err *err)
{
	buf_adds(out, "/* Written by profiles/gen_builtin.c; do not edit. */\n#include \"profiles/builtin.h\"\n");
	for (size_t i = 0; i < n; i++) {
		if (take_name(paths[i], s[i].name) < 0)
			return err_set(err, ERR_USAGE, 0, "%s: a shipped profile is named [a-z]+.yaml", paths[i]);
		if (i > 1 && strcmp(s[i - 1].name, s[i].name) >= 0)
			return err_set(err, ERR_USAGE, 0, "%s: give the profiles in the order of their names", paths[i]);
		if (io_read_file(AT_FDCWD, paths[i], PROFILE_TEXT_MAX, &s[i].text, err) < 0)
			return -1;
		write_text(out, &s[i]);
	}
	for (size_t a = 0; arch_at(a) != NULL; a++) {
		buf_addf(out, "#%s defined(%s)\n", a == 0 ? "if" : "elif", arch_macros[a]);
		for (size_t i = 0; i < n; i++)
			if (write_arch(out, arch_at(a), paths[i], &s[i], err) < 0)
				return -1;
	}
	buf_adds(out, "#else\n#error \"no profiles for this architecture\"\n#endif\n");
	write_table(out, s, n);
	return buf_check(out, "the generated profiles", err);
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? (size_t)argc - 1 : 0;
	auto_free struct shipped *s = calloc(n + 1, sizeof *s);
	auto_buf out = {0};
	struct err err = {0};
	int failed = -1;

	if (s == NULL || n < 2)
		fprintf(stderr, "usage: gen_builtin FLOOR.yaml FILE.yaml…\n");
	else if (generate(argv + 1, s, n, &out, &err) < 0)
		fprintf(stderr, "%s\n", err.msg);
	else
		failed = io_write_all(STDOUT_FILENO, out.data, out.len, &err);
	for (size_t i = 0; s != NULL && i < n; i++)
		buf_free(&s[i].text);
	return failed != 0;
}
