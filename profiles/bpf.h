/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bpf.h
 * An interpreter of seccomp's classic BPF, as far as compile.c and libseccomp use it
 * (linux/filter.h, seccomp(2)). No library is needed, and nothing allocated: the sandbox's init answers with it.
 */
#ifndef GB_PROFILES_BPF_H
#define GB_PROFILES_BPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

/** What the kernel would answer to the call @p data.
 *  @return false when the program leaves its bounds, or has an instruction that filters made here never have. */
bool bpf_answer(const struct sock_filter *bpf, size_t len, const struct seccomp_data *data, uint32_t *ret_action);

/** Whether call @p nr of @p arch (AUDIT_ARCH_*) is allowed whatever its arguments are. */
bool bpf_always_allows(const struct sock_filter *bpf, size_t len, uint32_t arch, int nr);

#endif
