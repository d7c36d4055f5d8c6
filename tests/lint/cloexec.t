#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Every descriptor is made close-on-exec: each call that makes one says so in its own arguments.
use strict;
use warnings;
use File::Basename;

# dup2 and dup3 put descriptors where a program will look for them: those are meant to be inherited.
# Call => what its arguments must hold; undef: there is no way to say it, another call must be used.
my %calls = (
	(map { $_ => qr/\bO_CLOEXEC\b/ } qw(open openat open_by_handle_at pipe2)),
	(map { $_ => qr/\bSOCK_CLOEXEC\b/ } qw(socket socketpair accept4)),
	memfd_create => qr/\bMFD_CLOEXEC\b/, eventfd => qr/\bEFD_CLOEXEC\b/, timerfd_create => qr/\bTFD_CLOEXEC\b/,
	signalfd => qr/\bSFD_CLOEXEC\b/, epoll_create1 => qr/\bEPOLL_CLOEXEC\b/, inotify_init1 => qr/\bIN_CLOEXEC\b/,
	recvmsg => qr/\bMSG_CMSG_CLOEXEC\b/, fopen => qr/"[^"]*e[^"]*"/, fdopen => qr/./, mkostemp => qr/\bO_CLOEXEC\b/,
	fsopen => qr/\bFSOPEN_CLOEXEC\b/, fsmount => qr/\bFSMOUNT_CLOEXEC\b/, open_tree => qr/\bOPEN_TREE_CLOEXEC\b/,
	(map { $_ => undef } qw(creat pipe dup accept mkstemp tmpfile popen epoll_create inotify_init freopen)),
);
# The same by number: syscall(SYS_openat, …), sys_call(__NR_openat, …).
my %numbers = map { ("SYS_$_" => $calls{$_}, "__NR_$_" => $calls{$_}) } grep { $_ ne 'fopen' } keys %calls;

# Offences in C text.
sub offences
{
	my ($text) = @_;
	my @found;

	# Comments out, lines kept.
	$text =~ s{(/\*.*?\*/|//[^\n]*)|("(?:[^"\\\n]|\\.)*")}{ defined $2 ? $2 : (my $c = $1) =~ tr/\n//cdr }gse;
	# openat2 takes its flags from a structure.
	while ($text =~ /struct\s+open_how\s+\w+\s*=\s*(\{[^}]*\})/g) {
		push @found, [line_of($text, $-[0]), 'open_how'] if $1 !~ /\bO_CLOEXEC\b|\bO_PATH\b.*\bO_CLOEXEC\b/;
	}
	while ($text =~ /(?<![\w.>])(\w+)\s*(\((?:[^()"]|"(?:[^"\\]|\\.)*"|(?2))*\))/g) {
		my ($name, $arguments, $at, $next) = ($1, $2, $-[0], $-[2]);
		my $what = $name;
		# Look inside the arguments too.
		pos($text) = $next + 1;
		# A filter's comparison of a number is no call (base/confine_filter.c).
		next if $name eq 'IF';
		if ($arguments =~ /^\(\s*((?:SYS|__NR)_\w+)\b/ && exists $numbers{$1}) {
			$what = $1 =~ s/^(SYS|__NR)_//r;
		} elsif (!exists $calls{$name}) {
			next;
		}
		# A declaration or definition of that name: types stand before it.
		next if $what eq $name && substr($text, 0, $at) =~ /(?:\bint|\*|\bstatic)\s*$/;
		next if defined $calls{$what} && $arguments =~ $calls{$what};
		push @found, [line_of($text, $at), $what];
	}
	while ($text =~ /\bF_DUPFD\b/g) {
		push @found, [line_of($text, $-[0]), 'F_DUPFD'];
	}
	return @found;
}

sub line_of
{
	my ($text, $at) = @_;
	return 1 + (substr($text, 0, $at) =~ tr/\n//);
}

sub slurp
{
	my ($file) = @_;
	local $/;
	open(my $in, '<', $file) or die "$file: $!\n";
	return <$in>;
}

my $n = 0;
sub result
{
	my ($title, @offences) = @_;
	$n++;
	print @offences ? 'not ' : '', "ok $n - $title\n", map { "# $_\n" } @offences;
	return;
}

chdir dirname(__FILE__) . '/../..' or die;
my @offences;
for my $file (grep { !m{^(tests|examples|build[^/]*)/} } sort(glob('*/*.c'), glob('*/*.h'))) {
	push @offences, map { "$file:$_->[0]: $_->[1] without close-on-exec" } offences(slurp($file));
}
result('every descriptor is made close-on-exec', @offences);

for my $bad ('int fd = open(path, O_RDONLY);', "openat(dir,\n\tname, O_WRONLY)", 'syscall(SYS_memfd_create, "x", 0)', 'pipe(fds)',
	'fcntl(fd, F_DUPFD, 3)', 'fopen(path, "r")', 'f(open(p, O_RDONLY))', 'struct open_how how = { .flags = O_RDONLY };') {
	result('notices: ' . $bad =~ s/\s+/ /gr, offences($bad) ? () : 'not noticed');
}
for my $good ('int fd = open(path, O_RDONLY | O_CLOEXEC);', '/* open(x, 0) */', 'fopen(path, "re")', 'reopen(path, 0)', 'x->open(a)',
	'syscall(SYS_openat, d, p, O_PATH | O_CLOEXEC)', 'static int dup(int fd);', 'IF(SYS_openat, 0, 4)') {
	result("takes no offence at: $good", map { "$_->[1]" } offences($good));
}
print "1..$n\n";
