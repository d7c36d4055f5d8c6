#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What bench/escape-matrix.sh needs beside a shell:

config HARDENING SECCOMP.json WORK ROOT TARGET WORKDIR COMMAND…: the configuration that `crun spec` or `runc spec` proposes (standard
input), for this command; hardened: with the seccomp profile of podman's and without any capability.

table WORK SCRIPT ABOUT: the report, from what the script has left in WORK."""
import json
import re
import sys
from collections import Counter, defaultdict


def bind(source, to, *options):
    return {"destination": to, "type": "bind", "source": source, "options": ["bind", "nosuid", "nodev", *options]}


def tmpfs(to):
    return {"destination": to, "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "mode=1777"]}


# What podman covers (containers-common), beyond what `spec` proposes.
PODMAN_MASKS = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
                "/proc/scsi", "/sys/firmware", "/sys/fs/selinux", "/sys/dev/block"]


def seccomp(path):
    """podman's file has conditions on architecture and capabilities, of which the runtime knows nothing: as podman itself resolves them
    without any capability."""
    with open(path, encoding="utf-8") as f:
        profile = json.load(f)

    def holds(condition, one_of):
        return all(one_of(k, v) for k, v in (condition or {}).items() if v)

    def included(kind, values):
        return "amd64" in values if kind == "arches" else False

    def excluded(rule):
        return "amd64" in rule.get("excludes", {}).get("arches", [])

    calls = [{k: v for k, v in rule.items() if k in ("names", "action", "args", "errnoRet") and v is not None}
             for rule in profile["syscalls"] if holds(rule.get("includes"), included) and not excluded(rule)]
    return {"defaultAction": profile["defaultAction"], "defaultErrnoRet": profile.get("defaultErrnoRet", 1),
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": calls}


def config(hardening, seccomp_json, work, root, target, workdir, *command):
    spec = json.load(sys.stdin)
    process = spec["process"]
    process.update(args=list(command), cwd=workdir if workdir != "-" else "/")
    spec["root"]["path"] = root
    spec["mounts"] += [tmpfs("/tmp"), tmpfs("/build/home"), bind(work + "/in", "/in", "ro"), bind(work + "/live", "/live", "rw"),
                       bind(work + "/out", "/out", "rw")]
    if target != "-":
        spec["mounts"].append(bind(work + "/live", target, "rw"))
    if hardening == "hardened":
        process["noNewPrivileges"] = True
        process["capabilities"] = {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")}
        spec["root"]["readonly"] = True
        spec["linux"]["seccomp"] = seccomp(seccomp_json)
        spec["linux"]["maskedPaths"] = sorted(set(spec["linux"]["maskedPaths"]) | set(PODMAN_MASKS))
        kinds = {n["type"] for n in spec["linux"]["namespaces"]}
        spec["linux"]["namespaces"] += [{"type": t} for t in ("network", "cgroup") if t not in kinds]
    json.dump(spec, sys.stdout)


# ---- the report ---------------------------------------------------------------------------------------

def rows(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return [line.rstrip("\n").split("\t") for line in f]


def outcome(word):
    """A try that ran into its end of time, died by itself or said nothing has shown nothing."""
    if word == "through":
        return "succeeded"
    return "not run" if word in ("broken", "SIGALRM", "SIGSEGV", "SIGBUS") or word.startswith("nothing") else "refused"


def cell(counts):
    """refused / succeeded / could not run."""
    if not counts:
        return "–"
    return f"{counts['refused']} / **{counts['succeeded']}** / {counts['not run']}" if counts["succeeded"] else \
        f"{counts['refused']} / 0 / {counts['not run']}"


def table(head, lines):
    return "\n".join("| " + " | ".join(r) + " |" for r in [head, ["---"] * len(head), *lines])


def brief(names, classes, count):
    """For the README: of each tool, of how many probes that ran how many succeeded, typical, then hardened."""
    tools = [n for n in names if not n.endswith(", hardened") and n != "plain namespaces"]

    def succeeded(name, probes):
        c = count(name, probes)
        ran = c["refused"] + c["succeeded"]
        return f"{c['succeeded']} of {ran}" if ran else "–"

    def both(tool, probes):
        hard = f"{tool}, hardened"
        return succeeded(tool, probes) + (f" → {succeeded(hard, probes)}" if hard in names else "")

    return table(["class of attack", *tools], [[c, *(both(t, probes) for t in tools)] for c, probes in classes])


def commands(script):
    """The boxes of the script, as they are written there: the flags are part of what was measured."""
    with open(script, encoding="utf-8") as f:
        text = f.read()
    begin, end = text.index("# ---- the boxes"), text.index("# ---- the runs")
    return text[begin:end].strip()


def report(work, script, about):
    columns = rows(work + "/columns")
    names = [c[0] for c in columns if not c[3]]
    classes = [(c, line) for c, kind, line in rows(work + "/about") if kind == "attack"]
    of_class = defaultdict(list)
    for line in rows(work + "/classes"):
        name, probe = line[0].split(" ")
        of_class[name].append(probe)
    answer = {(c, p): (word, note) for c, p, word, note in rows(work + "/results")}
    permitted = {(m.group(1), mode) for line in rows(work + "/permits")
                 if (m := re.match(r"- _(.+?)_ \((.*?)\)", line[0])) for mode in m.group(2).split(", ")}

    def on_purpose(column, probe):
        return column.startswith("glovebox ") and (probe, column.split(" ")[1]) in permitted

    def count(column, probes):
        return Counter(outcome(answer[column, p][0]) for p in probes if (column, p) in answer)

    out = ["# The escape matrix", "",
           f"Written by `make bench-matrix`: {about}. `bench/README.md` has the method, and what the figures do not say.", "",
           "How many probes succeeded, of those that ran; with typical flags → hardened:", "",
           "<!-- brief -->",
           brief(names, [(c, of_class[c]) for c, _ in classes] + [("**all**", [p for c, _ in classes for p in of_class[c]])], count),
           "<!-- end -->", "",
           "The same with what could not run. Each cell: probes refused / succeeded / that could not run.", "",
           table(["class of attack", *names], [[c, *(cell(count(n, of_class[c])) for n in names)] for c, _ in classes] +
                 [["**all**", *(cell(count(n, [p for c, _ in classes for p in of_class[c]])) for n in names)]]),
           ""]
    wanted = [f"`{p}` in {n}" for n in names for c, _ in classes for p in of_class[c]
              if on_purpose(n, p) and answer.get((n, p), ("",))[0] == "through"]
    if wanted:
        out += ["Of these a profile permits on purpose, for the reasons in glovebox-profile(5): " + ", ".join(wanted) + ".", ""]
    out += ["## What was run", "", table(["column", "as", "version", ""], [[n, w, v, said or "ran"] for n, w, v, said in columns]), "",
            "By these commands:", "",
            "```bash", commands(script), "```", "",
            "## The classes", "", table(["class", "probes", ""], [[c, str(len(of_class[c])), line] for c, line in classes]), "",
            "## Every probe", "",
            "`+` succeeded · the errno or signal it was refused with · `held`: no effect, and no error said why · `?` could not run here · "
            "a blank: not tried", ""]
    for c, line in classes:
        out += [f"### {c}", "", table(["probe", *names], [[p, *(short(answer.get((n, p))) for n in names)] for p in of_class[c]]), ""]
        if c == "aimed-mounts":
            out += [*seen(names, of_class[c], answer), ""]
    print("\n".join(out))


def seen(names, probes, answer):
    """Where a link led makes the difference here."""
    who = defaultdict(list)
    for p in probes:
        for n in names:
            word, note = answer.get((n, p), ("", ""))
            if word == "through":
                who[p, note.strip()].append(n)
    return [f"- {p}: {note}: {', '.join(columns)}" for (p, note), columns in who.items()]


def short(found):
    if found is None:
        return ""
    word = found[0]
    return {"succeeded": "**+**", "not run": "?"}.get(outcome(word), word)


if __name__ == "__main__":
    {"config": config, "table": report}[sys.argv[1]](*sys.argv[2:])
