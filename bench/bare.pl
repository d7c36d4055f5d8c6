#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# bare.pl TRACE...: writes a C program that makes the system calls of a traced `glovebox exec`, the same ones in the
# same order with the same arguments, and does nothing else: no checks, no store, no planning. What it
# takes is the price of the calls alone.
#
# The traces are what `strace -ff -v -X raw -s 100000` wrote, one a process, in the order of their ids: the caller, init,
# the command. Calls up to the first mprotect are the C library's own start, which the program has itself.
use strict;
use warnings;

@ARGV == 3 or die "usage: bare.pl CALLER INIT COMMAND   (traces of strace -ff)\n";

# What a result is written to goes into one scratch buffer. Of structures only those that are passed in.
my %out = map { $_ => 1 } qw(newfstatat:2 read:1 pread64:1 getdents64:1 readlink:1 getrandom:0 ioctl:2 prlimit64:3 rt_sigaction:2
	rt_sigprocmask:2 socketpair:3 pipe2:0 wait4:1 wait4:3 getrusage:1 uname:0 fstatfs:1 statx:4 getgroups:1 epoll_pwait:1 recvmsg:1 sysinfo:0);
my %in = (
	'prlimit64:2' => sub { members('struct rlimit', @_) },
	'openat2:2' => sub { members('struct open_how', @_) },
	'mount_setattr:3' => sub { members('struct mount_attr', @_) },
	'landlock_add_rule:2' => sub { members('struct landlock_path_beneath_attr', @_) },
	# strace does not know the last member, which glovebox fills with both bits where there is one.
	'landlock_create_ruleset:0' => sub { $_[0] =~ /handled_access_fs=(\w+)/ ? "(const uint64_t[3]){ $1, 0, 3 }" : die "ruleset: $_[0]" },
	'rt_sigaction:1' => sub { '(const uint64_t[4]){ ' . ($_[0] =~ /sa_handler=0x1,/ ? 1 : 0) . ' }' },
	'rt_sigprocmask:1' => \&mask,
	'signalfd4:1' => \&mask,
	'epoll_ctl:3' => sub { $_[0] =~ /events=(\w+).*u64=(\d+)/ or die "event: $_[0]"; "&(struct epoll_event){ .events = $1, .data.u64 = $2 }" },
	'poll:0' => sub { "(struct pollfd[]){ " . join(', ', map { s/(\w+)=/.$1=/gr } $_[0] =~ /\{[^}]*\}/g) . ' }' },
	'sched_setscheduler:2' => sub { '(const int[1]){ 0 }' },
	'sched_setaffinity:2' => sub { 'ones' },
	'utimensat:2' => sub { '(const struct timespec[2]){ ' . join(', ', map { s/(\w+)=/.$1 = /gr } $_[0] =~ /\{[^}]*\}/g) . ' }' },
	'capset:0' => sub { members('struct __user_cap_header_struct', @_) },
	'capset:1' => sub { '(const struct __user_cap_data_struct[2]){ { 0 } }' },
	'seccomp:2' => sub { $_[0] =~ /^\{len=(\d+), filter=\[(.*)\]\}$/s or die "filter: $_[0]"; "&(struct sock_fprog){ $1, (struct sock_filter[]){ $2 } }" },
	'sendmsg:1' => sub { $_[0] =~ /iov_base=("(?:[^"\\]|\\.)*"), iov_len=(\d+)/ or die "message: $_[0]";
		"&(struct msghdr){ .msg_iov = &(struct iovec){ (void *)$1, $2 }, .msg_iovlen = 1 }" },
	'recvmsg:1' => sub { '&(struct msghdr){ .msg_iov = &(struct iovec){ buf, 4096 }, .msg_iovlen = 1 }' },
	'execve:1' => \&strings,
	'execve:2' => \&strings,
);

sub members { my ($type, $text) = @_; $text =~ s/(\w+)=/.$1 = /g; return "&($type)$text" }

sub mask
{
	my ($text) = @_;
	my $bits = join ' | ', map { "1ull << ($_ - 1)" } $text =~ /(\d+)/g;
	return '(const uint64_t[1]){ ' . ($text =~ /^~/ ? '~' : '') . '(' . ($bits || '0ull') . ') }';
}

sub strings { my ($text) = @_; $text =~ s/^\[(.*)\]$/$1/s or die "strings: $text"; return "(char *[]){ $text" . (length $text ? ', ' : '') . 'NULL }' }

# Splits at the commas that are in no string, bracket or brace.
sub arguments
{
	my ($text) = @_;
	my @args = ('');
	my $depth = 0;
	while ($text =~ /\G("(?:[^"\\]|\\.)*"|.)/gs) {
		my $piece = $1;
		$depth++ if $piece =~ /^[\[{(]$/;
		$depth-- if $piece =~ /^[\]})]$/;
		if ($piece eq ',' && $depth == 0) {
			push @args, '';
		} else {
			$args[-1] .= $piece;
		}
	}
	s/^\s+|\s+$//g for @args;
	return $text eq '' ? () : @args;
}

sub argument
{
	my ($key, $text) = @_;
	return 'NULL' if $text eq 'NULL';
	return 'buf' if $out{$key} && $key ne 'recvmsg:1';
	return $in{$key}->($text) if $in{$key};
	return $text if $text =~ /^"/ || $text =~ /^[-\w|]+$/ && $text !~ /^0x[0-9a-f]{9,}$/;
	die "bare.pl: argument $key of a kind that is not known: $text\n";
}

# One line of a trace as a statement.
sub statement
{
	my ($line) = @_;
	return '' if $line =~ /^(?:\+\+\+|---)/;
	$line =~ /^(\w+)\((.*)\)\s+= / or die "bare.pl: cannot read: $line\n";
	my ($name, @args) = ($1, arguments($2));
	# Memory shared, on a stack of its own: the command.
	return 'clone(command, stack + sizeof stack, ' . ($args[1] =~ s/flags=//r) . ', NULL);' if $name eq 'clone' && $args[0] !~ /NULL/;
	return 'if ((pid = syscall(SYS_clone, ' . ($args[1] =~ s/flags=//r) . ', NULL, NULL, NULL, NULL)) == 0) init();' if $name eq 'clone';
	return 'if (vfork() == 0) command(NULL);' if $name eq 'vfork';
	# The heap's growth, in a program that has none: for the count.
	return 'syscall(SYS_brk, 0);' if $name eq 'brk';
	$args[0] = 'pid' if $name eq 'wait4' && $args[0] > 0;
	return 'syscall(' . join(', ', "SYS_$name", map { argument("$name:$_", $args[$_]) } 0 .. $#args) . ');';
}

sub trace
{
	my ($file, $until) = @_;
	open my $in, '<', $file or die "bare.pl: $file: $!\n";
	my @lines = <$in>;
	chomp @lines;
	my $i = 0;
	if ($until eq 'start') {
		$i++ until $lines[$i] =~ /^mprotect\(/;
		return @lines[$i + 1 .. $#lines];
	}
	return @lines if $until eq '';
	$i++ until $lines[$i] =~ /^$until\(/;
	return @lines[0 .. $i];
}

sub function { my ($head, @lines) = @_; return "static $head\n{\n" . join('', map { $_ eq '' ? '' : "\t$_\n" } map { statement($_) } @lines) . "}\n\n" }

print <<'END';
/* Written by bench/bare.pl from a trace; do not keep. */
#define _GNU_SOURCE
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>

static char buf[1 << 17];
static unsigned char ones[1024];
static char stack[1 << 16] __attribute__((aligned(16)));
static long pid;

END
print function('int command(void *none)', trace($ARGV[2], 'execve')), function('void init(void)', trace($ARGV[1], '')),
	function('void caller(void)', trace($ARGV[0], 'start'));
print "int main(void)\n{\n\tmemset(ones, 0xff, sizeof ones);\n\tcaller();\n\treturn 125;\n}\n";
