/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outer.h
 * What binds this process from outside: a container's engine, filter and labels. Asked only where something was denied,
 * and by `glovebox doctor`. Parent's side.
 */
#ifndef GB_SANDBOX_OUTER_H
#define GB_SANDBOX_OUTER_H

#include "sandbox/cause.h"

/** Whose container this is. */
enum outer_container { OUTER_NONE, OUTER_DOCKER, OUTER_PODMAN, OUTER_KUBERNETES };
/** By the files that each leaves in its containers. */
enum outer_container outer_container(void);

/** Whether a filter of somebody else's binds this process. */
bool outer_seccomp(void);
/** Which of the calls that make a sandbox a filter answers in the kernel's place. Proven by trying: each is called in a process of
 *  its own with arguments that the kernel refuses as wrong before it asks for any right, so that "not permitted" is never its
 *  answer. @return whether there is one; their names are appended to @p out. */
bool outer_refuses(struct buf *out);
/** Whether the kernel is at least of this version. */
bool outer_kernel_is(unsigned major, unsigned minor);
/** The number in a file of /proc/sys, or -1. */
long outer_number(const char *path);

/** Why making or using namespaces was refused with EPERM or EACCES; what is known besides is appended to @p detail.
 *  @param making the user namespace itself was */
enum sandbox_cause outer_why_denied(bool making, struct buf *detail);

/** What a refusal of a new /proc is told by (host.c). @return -1. */
int sandbox_proc_denied(int sys, struct err *err);

/** Appends the line that makes an AppArmor profile for this program, and for the other of the two that it is installed with. */
void outer_apparmor_cure(struct buf *out);

#endif
