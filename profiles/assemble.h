/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file assemble.h
 * Private to profiles/: writes a BPF program from its end to its start, so that every jump's
 * target is there already; all jumps of BPF lead forward.
 */
#ifndef GB_PROFILES_ASSEMBLE_H
#define GB_PROFILES_ASSEMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>

#include "profiles/profiles.h"

/** A place in the program: how many instructions it and what follows it are. Never 0. */
typedef uint32_t label;

/** Furthest that a conditional jump can skip. */
#define ASSEMBLE_NEAR 255
/** Targets that nearer copies are remembered of. */
#define ASSEMBLE_COPIES 64

/** A program being written. Zero-initialise; nothing to free. */
struct assembly {
	struct sock_filter code[PROFILE_BPF_MAX]; /**< the last `len` are written */
	size_t len;
	bool full;                                /**< an instruction did not fit; the program is of no use */
	struct {
		label target, copy;
	} copies[ASSEMBLE_COPIES];
	size_t ncopies;
};

/** The end of a call: returns @p action. One a program for each action. */
label assemble_return(struct assembly *a, uint32_t action);
/** Loads the 32-bit word at @p offset of struct seccomp_data, then goes on with what was written last. */
label assemble_load(struct assembly *a, uint32_t offset);
/** Masks the loaded word, then goes on with what was written last. */
label assemble_and(struct assembly *a, uint32_t mask);
/** Compares the loaded word: @p op is BPF_JEQ, BPF_JGT or BPF_JGE. */
label assemble_jump(struct assembly *a, uint16_t op, uint32_t k, label yes, label no);
/** Goes to @p target. */
label assemble_goto(struct assembly *a, label target);
/** @p target, or the place behind it when it only loads the word that is loaded already. */
label assemble_loaded(const struct assembly *a, label target, uint32_t offset);

#endif
