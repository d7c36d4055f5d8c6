#!/usr/bin/zsh -f
# SPDX-License-Identifier: Apache-2.0
# What zsh offers after each line given, one word a line, an empty line behind each: a real shell at a terminal of its own,
# whose compadd tells what it is given.
#
#   capture.zsh SCRIPT DIRECTORY LINE...
emulate -R zsh
zmodload zsh/zpty zsh/zselect
script=$1 dir=$2
shift 2

rc='
autoload -Uz compinit && compinit -u -D
compadd() {
	local -a found
	# Asked only to fill arrays, it adds nothing.
	if [[ " ${(j: :)@[1,(i)(-|--)]} " != *" -"[OAD]" "* ]]; then
		builtin compadd -O found "$@"
		(( $#found )) && print -rl -- $found >>$dir/offered
	fi
	builtin compadd "$@"
}
capture() {
	_main_complete
	: >$dir/done
}
zle -C capture complete-word capture
bindkey "^I" capture
bindkey "^U" kill-whole-line
source $script
: >$dir/done
'
print -r -- "dir=${(q)dir} script=${(q)script}$rc" >$dir/rc

# wait: until the shell has done what it was told.
wait_done() {
	local -i i
	for ((i = 0; i < 600; i++)); do
		[[ -e $dir/done ]] && { rm $dir/done; return 0 }
		# Its echo must not fill the terminal.
		zpty -rt shell heard && continue
		zselect -t 5
	done
	print -u2 "capture.zsh: no answer to: $1"
	exit 1
}

zpty shell zsh -f -i
zpty -w shell "source ${(q)dir}/rc"
wait_done rc
for line; do
	rm -f $dir/offered
	zpty -wn shell "$line"$'\t'
	wait_done "$line"
	[[ ! -e $dir/offered ]] || sort -u $dir/offered
	print
	zpty -wn shell $'\x15'
done
zpty -d shell
