#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Completion, asked of the shells themselves: what they offer is what --help lists.
load lib

setup_file()
{
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/glovebox-e2e.XXXXXX")
	export WORK
	mkdir -p "$WORK/here/sub" "$WORK/home"
	touch "$WORK/here/build.yaml" "$WORK/here/a b.yaml"
	for shell in bash zsh fish; do
		"$GLOVEBOX" completion $shell >"$WORK/$shell"
	done
	ask_for_places >"$WORK/places"
}
teardown_file() { end_file; }

setup() { cd "$WORK/here" || return; }

# Commands, and verbs that have options of their own, each with the options of its help. Asked once, for all tests.
places() { cat "$WORK/places"; }
ask_for_places()
{
	glovebox --help | sed -n '/^commands:/,$s/^  \([a-z][a-z-]*\) .*/\1/p' | while IFS= read -r command; do
		glovebox "$command" --help | awk -v verbs="$(case $command in image | cache | profile) echo 1 ;; esac)" '
			/^usage: glovebox / { place = $3 ($4 ~ /^[a-z]+$/ && verbs ? " " $4 : ""); if ($0 ~ / \| / && verbs) place = "" }
			place && match($0, /^  (-[a-z], )?--[a-z-]+/) { n = split(substr($0, 3, RLENGTH - 2), o, ", "); for (i = 1; i <= n; i++) print place "\t" o[i] }'
	done
}

# What bash offers for the last of the words given.
in_bash()
{
	# shellcheck disable=SC2016  # for the other shell
	bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _glovebox; printf "%s\n" "${COMPREPLY[@]}"' - "$WORK/bash" glovebox "$@" |
		sort | tr '\n' ' ' | sed 's/ $//'
}

# What fish offers after each line, an empty line behind it.
in_fish()
{
	# shellcheck disable=SC2016  # for the other shell
	HOME=$WORK/home fish --no-config -c 'source $argv[1]; for l in $argv[2..-1]; complete -C $l | string replace -r "\t.*" ""; echo; end' "$WORK/fish" "$@"
}

# The same of zsh.
in_zsh() { "$BATS_TEST_DIRNAME/capture.zsh" "$WORK/zsh" "$(mktemp -d "$WORK/zsh.XXXXXX")" "$@"; }

# each_place COMMAND: what it offers after "glovebox PLACE --" for all places in one go, as `places` has it.
each_place()
{
	local lines=() place
	mapfile -t all < <(places | cut -f 1 | uniq)
	[ ${#all[@]} -ge 13 ]
	for place in "${all[@]}"; do
		lines+=("glovebox $place --")
	done
	"$1" "${lines[@]}" | awk -v all="$(printf '%s\n' "${all[@]}")" 'BEGIN { split(all, place, "\n"); n = 1 }
		$0 == "" { n++; next } { sub(/=$/, ""); print place[n] "\t" $0 }'
}

@test "bash: each command and verb has the options of --help" {
	while IFS= read -r place; do
		# shellcheck disable=SC2086  # a place is words
		is "$(in_bash $place -)" "$(places | grep "^$place	" | cut -f 2 | sort | tr '\n' ' ' | sed 's/ $//')"
	done < <(places | cut -f 1 | uniq)
}

@test "zsh: each command and verb has the options of --help" {
	is "$(each_place in_zsh | sort)" "$(places | grep -e "--[a-z]" | sort)"
}

@test "fish: each command and verb has the options of --help" {
	is "$(each_place in_fish | sort)" "$(places | grep -e "--[a-z]" | sort)"
}

@test "bash: commands, verbs, words, files, directories" {
	commands=$(glovebox --help | sed -n '/^commands:/,$s/^  \([a-z][a-z-]*\) .*/\1/p' | sort | tr '\n' ' ')
	is "$(in_bash '')" "${commands% }"
	is "$(in_bash -)" "--help --version"
	is "$(in_bash rep)" reproduce
	is "$(in_bash image '')" "inspect pack pull push"
	is "$(in_bash rootfs --store sub '')" "export import list remove show"
	is "$(in_bash image pack --compression '')" "gzip none zstd"
	is "$(in_bash exec --network = l)" loopback
	is "$(in_bash exec --network =)" "loopback none"
	is "$(in_bash exec --memory '')" ""
	is "$(in_bash exec --profile d)" "debug default"
	is "$(in_bash profile show '')" "$(glovebox profile list | cut -d ' ' -f 1 | sort | tr '\n' ' ' | sed 's/ $//')"
	is "$(in_bash run b)" build.yaml
	is "$(in_bash run '')" "a b.yaml build.yaml sub"
	is "$(in_bash run --key b)" build.yaml
	is "$(in_bash run --out '')" sub
	is "$(in_bash image pack -o b)" build.yaml
	is "$(in_bash rootfs import '')" ""
	is "$(in_bash rootfs import name b)" build.yaml
	is "$(in_bash exec --ro sub : /b --net)" --network
	is "$(in_bash exec --ro sub :)" ""
	is "$(in_bash exec --rootfs x -- --net)" ""
	is "$(in_bash exec --rootfs x -- b)" build.yaml
	is "$(in_bash nonsense '')" ""
}

@test "bash: readline itself takes the script" {
	run bash -ic ". '$WORK/bash'; complete -p glovebox" 2>/dev/null
	[[ $output == *"complete -F _glovebox glovebox"* ]]
	shellcheck "$WORK/bash"
}

@test "zsh: commands, verbs, words, files, found below fpath" {
	run in_zsh 'glovebox rep' 'glovebox image ' 'glovebox image pack --compression ' 'glovebox exec --network=' 'glovebox profile show ' \
		'glovebox run b' 'glovebox exec --profile de' 'glovebox completion '
	is "$output" $'reproduce\n\ninspect\npack\npull\npush\n\ngzip\nnone\nzstd\n\nloopback\nnone\n\ndebug\ndefault\nstrict\n\nbuild.yaml\n\ndebug\ndefault\n\nbash\nfish\nzsh'
	zsh -n "$WORK/zsh"
	mkdir "$WORK/fpath"
	cp "$WORK/zsh" "$WORK/fpath/_glovebox"
	# shellcheck disable=SC2016  # for the other shell
	is "$(zsh -fc 'fpath=("$1" $fpath); autoload -Uz compinit; compinit -u -D; print $_comps[glovebox]' - "$WORK/fpath")" _glovebox
}

@test "fish: commands, verbs, words, files" {
	is "$(in_fish 'glovebox rep' 'glovebox image ' 'glovebox image pack --compression ' 'glovebox exec --network=' 'glovebox profile show ' \
		'glovebox run b' 'glovebox exec --memory ' 'glovebox run --out ' 'glovebox rootfs --store sub sh' 'glovebox exec --rootfs x -- b')" \
		$'reproduce\n\ninspect\npack\npull\npush\n\ngzip\nnone\nzstd\n\n--network=loopback\n--network=none\n\ndebug\ndefault\nstrict\n\nbuild.yaml\n\n\nsub/\n\nshow\n\nbuild.yaml'
	HOME=$WORK/home fish --no-config --no-execute "$WORK/fish"
}

@test "the help texts are there, and the words are those of the help" {
	for shell in zsh fish; do
		grep -q 'the time of N processors, such as 1.5; needs a cgroup' "$WORK/$shell"
		grep -q 'run a whole spec: build, test, pack, sign' "$WORK/$shell"
	done
	for words in 'exec network none loopback' 'exec limits enforce best-effort' 'image compression gzip zstd none' 'rootfs format tar oci' \
		'key type p256 ed25519' 'reproduce level image content'; do
		read -ra word <<<"$words"
		line=$(glovebox "${word[0]}" --help | grep -- " --${word[1]} ")
		for one in "${word[@]:2}"; do
			[[ $line =~ [^a-z]$one([^a-z]|$) ]]
		done
	done
}

@test "no shell of that name" {
	expect_status 2 glovebox completion tcsh
	is "$output" "glovebox: completion: no shell 'tcsh'; there are bash, zsh and fish"
	expect_status 2 glovebox completion
}
