/* SPDX-License-Identifier: Apache-2.0 */
/* Another host than it is (parent's side): what asks init, what takes the place of the vDSO's clocks, and a /proc with one
 * processor. init's answers are in answer.c. */
#include "sandbox/plan.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include <linux/seccomp.h>

#include "sandbox/sys.h"

/** Most bytes of /proc/cpuinfo and /proc/stat: some of a thousand processors'. */
#define PROC_MAX (8u << 20)
/** Most symbols of a vDSO; there are about ten. */
#define SYMBOLS_MAX 256

/* ---- what is asked --------------------------------------------------------------- */

#define ASK BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)
#define LET BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))

/** Calls of another architecture have other numbers, and no filter lets them through. */
static const struct sock_filter ask_start[] = { LOAD(arch), IF(SYS_AUDIT_ARCH, 1, 0), LET, LOAD(nr) };
static const struct sock_filter ask_order[] = { IF(SYS_getdents64, 0, 1), ASK };
#ifdef __x86_64__
/** Every program of a C library, and of Go's, asks for arch_prctl(2) once it has begun, and before it asks for the time. */
static const struct sock_filter ask_clock[] = {
	IF(SYS_arch_prctl, 2, 0), IF(SYS_gettimeofday, 1, 0), IF(SYS_time, 0, 1), ASK,
	IF(SYS_clock_gettime, 0, 5), LOAD(args[0]), IF(CLOCK_REALTIME, 2, 0), IF(CLOCK_REALTIME_COARSE, 1, 0), IF(CLOCK_TAI, 0, 1), ASK,
};
#endif
static const struct sock_filter ask_end[] = { LET };

static void append(struct sock_filter *all, size_t *n, const struct sock_filter *piece, size_t len)
{
	memcpy(all + *n, piece, len * sizeof *piece);
	*n += len;
}

/** The piece on clocks is last: it leaves another number than the call's to be compared. */
static int make_asking(struct plan_box *box, const struct sandbox_vary *vary, struct err *err)
{
	struct sock_filter *all = plan_alloc(box, 64 * sizeof *all);
	size_t n = 0;

	if (all == NULL)
		return plan_no_memory(err);
	append(all, &n, ask_start, ARRAY_LEN(ask_start));
	if (vary->other_order)
		append(all, &n, ask_order, ARRAY_LEN(ask_order));
#ifdef __x86_64__
	if (vary->clock_s != 0)
		append(all, &n, ask_clock, ARRAY_LEN(ask_clock));
#endif
	append(all, &n, ask_end, ARRAY_LEN(ask_end));
	box->plan.asking = all;
	box->plan.asking_len = n;
	return 0;
}

/* ---- the vDSO ------------------------------------------------------------------------ */

#ifdef __x86_64__

/** The kernel's own image of it, in this process as in every other (vdso(7)). */
struct image {
	const char *base;
	uint64_t shift;        /**< from an address in it to an offset */
	const Elf64_Sym *symbols; size_t nsymbols;
	const char *strings;
};

/** The tables are found as the dynamic linker does; how many symbols there are is told by the strings that follow them. */
static bool read_image(struct image *v)
{
	const Elf64_Ehdr *head = (const void *)v->base;
	const Elf64_Phdr *parts = (const void *)(v->base + head->e_phoff);
	const Elf64_Dyn *dynamic = NULL;

	for (size_t i = 0; i < head->e_phnum; i++) {
		if (parts[i].p_type == PT_LOAD)
			v->shift = parts[i].p_offset - parts[i].p_vaddr;
		if (parts[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)(v->base + parts[i].p_offset);
	}
	for (; dynamic != NULL && dynamic->d_tag != DT_NULL; dynamic++) {
		if (dynamic->d_tag == DT_SYMTAB)
			v->symbols = (const void *)(v->base + v->shift + dynamic->d_un.d_ptr);
		if (dynamic->d_tag == DT_STRTAB)
			v->strings = v->base + v->shift + dynamic->d_un.d_ptr;
	}
	if (v->symbols == NULL || v->strings <= (const char *)v->symbols)
		return false;
	v->nsymbols = (size_t)(v->strings - (const char *)v->symbols) / sizeof *v->symbols;
	return v->nsymbols <= SYMBOLS_MAX;
}

/** mov $nr, %eax; syscall; ret */
static struct patch patch_of(uint64_t offset, int nr)
{
	struct patch p = { offset, { 0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0xc3 } };

	for (size_t i = 0; i < 4; i++)
		p.code[1 + i] = (unsigned char)((unsigned)nr >> (8 * i));
	return p;
}

static bool find_patch(const struct image *v, const char *name, int nr, struct patch *ret)
{
	for (size_t i = 0; i < v->nsymbols; i++) {
		const Elf64_Sym *s = &v->symbols[i];

		if (s->st_shndx == SHN_UNDEF || s->st_size < sizeof ret->code || strcmp(v->strings + s->st_name, name) != 0)
			continue;
		*ret = patch_of(v->shift + s->st_value, nr);
		return true;
	}
	return false;
}

static int make_patches(struct plan *plan, struct err *err)
{
	static const struct { const char *name; int nr; } calls[PLAN_PATCHES_MAX] = {
		{ "__vdso_clock_gettime", SYS_clock_gettime }, { "__vdso_gettimeofday", SYS_gettimeofday }, { "__vdso_time", SYS_time },
	};
	struct image v = { .base = (const char *)getauxval(AT_SYSINFO_EHDR) }; /* NOLINT: an address from the kernel */

	/* Where there is none, everybody asks the kernel. */
	if (v.base == NULL)
		return 0;
	if (!read_image(&v))
		return err_set(err, ERR_HOST, 0, "sandbox: another clock: this kernel's vDSO is of a form that is not known");
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		plan->npatches += find_patch(&v, calls[i].name, calls[i].nr, &plan->patches[plan->npatches]);
	return plan->npatches != 0 ? 0 : err_set(err, ERR_HOST, 0, "sandbox: another clock: this kernel's vDSO has none of the known functions");
}

#else

static int make_patches(struct plan *plan, struct err *err)
{
	(void)plan;
	return err_set(err, ERR_HOST, 0, "sandbox: another clock can be had on x86_64 only");
}

#endif

int plan_vary(struct plan_box *box, const struct sandbox_conf *conf, struct err *err)
{
	struct plan *plan = &box->plan;

	if (conf->vary == NULL)
		return 0;
	plan->vary = *conf->vary;
	if (!conf->no_receipt && (plan->vary.one_cpu || plan->vary.other_order || plan->vary.clock_s != 0 || plan->vary.pids != 0))
		return plan_refuse(err, "a command that finds another host than it is has no receipt");
	if (plan->vary.clock_s != 0 && make_patches(plan, err) != 0)
		return -1;
	return plan->vary.other_order || plan->vary.clock_s != 0 ? make_asking(box, &plan->vary, err) : 0;
}

/* ---- one processor --------------------------------------------------------------------- */

static int read_proc(const char *path, struct buf *out, struct err *err)
{
	return io_read_file(AT_FDCWD, path, PROC_MAX, out, err) != 0 ? err_ctx(err, "sandbox: one processor") : 0;
}

/** A file of the skeleton with this text, over one of /proc's. */
static int show(struct plan_box *box, const char *name, const char *text, struct err *err)
{
	const char *from = plan_str(box, "../%s", name), *target = plan_str(box, "proc/%s", name), *content = plan_str(box, "%s", text);

	if (from == NULL || target == NULL || content == NULL)
		return plan_no_memory(err);
	if (plan_add_make(box, (struct make){ .kind = MAKE_FILE, .path = name, .mode = 0444, .text = content }, err) != 0)
		return -1;
	return skeleton_cover(box, from, target, err);
}

int skeleton_one_cpu(struct plan_box *box, struct err *err)
{
	auto_buf info = { 0 }, stat = { 0 }, kept = { 0 };
	char *save = NULL;

	if (read_proc("/proc/cpuinfo", &info, err) != 0 || read_proc("/proc/stat", &stat, err) != 0)
		return -1;
	char *end = strstr(info.data, "\n\n");
	if (end != NULL)
		end[2] = '\0';
	for (char *line = strtok_r(stat.data, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		if (!text_starts(line, "cpu") || line[3] == ' ' || text_starts(line, "cpu0 "))
			buf_addf(&kept, "%s\n", line);
	if (buf_check(&kept, "/proc/stat", err) != 0 || show(box, "cpuinfo", info.data, err) != 0)
		return -1;
	return show(box, "stat", kept.data, err);
}
