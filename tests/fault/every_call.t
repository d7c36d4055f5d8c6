#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A system call fails, stops short or is the last one, the Nth of the real program (supervisor/): whatever N is, glovebox comes to its end or
# says in one line why not, with an exit status of its manual; the store is true; and the next run gives what it gives always, and leaves
# nothing in tmp/.
#
#   every_call.t [SCENE [FAULT [N]]]      GB_FAULTS: how many N of each kind are tried, or `all`
use strict;
use warnings;
use Cwd qw(realpath);
use File::Find;
use File::Temp qw(tempdir);
use POSIX ();

my $build = $ENV{O} // 'build';
my $glovebox = realpath($ENV{GLOVEBOX} // "$build/glovebox");
my $faults = realpath("$build/faults") // die "$build/faults is not built\n";
my $samples = $ENV{GB_FAULTS} // 1;
my ($only_scene, $only_fault, $only_n) = @ARGV;

# What ends well however it is disturbed, and what may end in an error.
my @harmless = qw(EINTR short);
my @faults = (qw(ENOSPC EDQUOT EROFS EIO EMFILE ENOMEM), @harmless, 'kill');
# glovebox(1): the host, an input, an error of its own.
my %documented = map { $_ => 1 } 5, 6, 125;

umask 022;
my $work = realpath(tempdir('glovebox-fault.XXXXXX', TMPDIR => 1, CLEANUP => 0));
chmod 0755, $work;
END {
	my $status = $?;
	# Overlay work directories have no permissions at all.
	system('chmod', '-R', 'u+rwX', $work), system('rm', '-rf', $work) if defined $work;
	$? = $status;
}
# What is run, and changed, is here; what it begins with is copied to here.
my $now = "$work/now";
$ENV{GLOVEBOX_STORE} = "$now/store";

# ---- running -------------------------------------------------------------------------------------------

sub spew
{
	my ($path, $text) = @_;
	open(my $out, '>', $path) or die "$path: $!\n";
	print $out $text;
	close($out) or die "$path: $!\n";
	return;
}

sub slurp
{
	my ($path) = @_;
	open(my $in, '<', $path) or return;
	local $/;
	return scalar <$in>;
}

# Runs it with its output in $work/out and $work/err; its exit status, or 128 and the signal.
sub run
{
	my (@command) = @_;
	my $pid = fork() // die "fork: $!\n";

	if ($pid == 0) {
		open(STDIN, '<', '/dev/null') && open(STDOUT, '>', "$work/out") && open(STDERR, '>', "$work/err") && exec(@command);
		POSIX::_exit(99);
	}
	waitpid($pid, 0);
	return $? & 127 ? 128 + ($? & 127) : $? >> 8;
}

# Runs glovebox under the supervisor: what its report says, as a hash.
sub watched
{
	my ($fault, @command) = @_;
	my %report;
	my $status = run($faults, "$work/report", @$fault, '--', $glovebox, @command);

	die "faults: exit status $status: " . slurp("$work/err") if $status != 0;
	for (split /\n/, slurp("$work/report")) {
		my ($key, $value) = split / /, $_, 2;
		$report{$key} = $value // 1;
	}
	return \%report;
}

# Something that must go well.
sub must
{
	my (@command) = @_;
	my $status = run(@command);

	die "@command: exit status $status\n" . slurp("$work/err") if $status != 0;
	return slurp("$work/out") // '';
}

sub begin_with
{
	my ($template) = @_;
	must('rm', '-rf', $now);
	if (-e "$work/$template") {
		must('cp', '-a', "$work/$template", $now);
	} else {
		mkdir $now or die "$now: $!\n";
	}
	return;
}

sub keep_as
{
	my ($template) = @_;
	rename($now, "$work/$template") or die "$template: $!\n";
	return;
}

# ---- what there is to run ---------------------------------------------------------------------------

# A root filesystem with just what the step needs, and a tree with one of each kind.
sub make_inputs
{
	mkdir "$work/$_" or die "$work/$_: $!\n" for qw(rootfs rootfs/bin source source/d);
	chomp(my $busybox = must('sh', '-c', 'command -v busybox'));
	must('cp', $busybox, "$work/rootfs/bin/busybox");
	symlink('busybox', "$work/rootfs/bin/$_") for qw(sh cat mkdir);
	spew("$work/source/d/a", "one\n");
	spew("$work/source/d/b", "two\n" x 5000);
	spew("$work/source/empty", '');
	symlink('a', "$work/source/d/link");
	# Older than any doubt about when it was written.
	must('find', "$work/source", '-exec', 'touch', '-h', '-d', '1 hour ago', '{}', '+');
	must('tar', '-C', "$work/rootfs", '-czf', "$work/rootfs.tar.gz", '.');
	return;
}

sub make_spec
{
	my ($name, $rootfs, $tests) = @_;
	spew("$work/$name.yaml", <<"END");
apiVersion: platform.build/v1
kind: BuildSpec
metadata: { name: fault }
spec:
  rootfs: { ref: "$rootfs" }
  sources: [{ name: src, path: source }]
  build:
    command: 'mkdir -p made && cat d/a d/b > made/both'
    artifact: { base: scratch }
$tests
END
	return;
}

# The stores that scenes begin with.
sub make_templates
{
	begin_with('none');
	my ($digest) = must($glovebox, 'rootfs', 'import', 'tiny', "$work/rootfs") =~ /(sha256:\w+)\s*\z/;
	make_spec('build', $digest, '');
	make_spec('again', $digest, "  tests: [{ name: unit, command: 'cat made/both' }]");
	keep_as('imported');
	begin_with('imported');
	must('chmod', '-R', 'u+w', "$now/store/rootfs");
	must('rm', '-r', glob("$now/store/rootfs/*"));
	keep_as('flat');
	begin_with('imported');
	must($glovebox, 'run', "$work/build.yaml", '--out', "$now/out", '--quiet');
	must('rm', '-r', "$now/out");
	keep_as('built');
	return;
}

my $out = "$now/out";
sub last_line { return (slurp("$work/out") // '') =~ /([^\n]*)\n\z/ ? $1 : '' }
sub sums { return join ' ', map { must('sha256sum', $_) =~ /^(\w+)/ ? $1 : '' } @_ }
sub counts { my ($but) = @_; return must('sh', '-c', "'$glovebox' cache stats --json | jq -c 'del(.bytes$but) | map_values(.count)'") }

# NAME: the store that it begins with, what is run, and what came of it.
my %scenes = (
	'snapshot' => ['none', ['tree', "$work/source", '--digest'], \&last_line],
	'snapshot, nothing changed' => ['built', ['tree', "$work/source", '--digest'], \&last_line],
	'import of a directory' => ['none', ['rootfs', 'import', 'tiny', "$work/rootfs"], \&last_line],
	'import of an archive' => ['none', ['rootfs', 'import', 'tiny', "$work/rootfs.tar.gz"], \&last_line],
	'run' => ['flat', ['run', "$work/build.yaml", '--out', $out, '--quiet'], sub { sums("$out/image.tar", "$out/image.digest") }],
	'run, the build from the cache' =>
		['built', ['run', "$work/again.yaml", '--out', $out, '--quiet'], sub { sums("$out/image.tar", "$out/logs/unit.log") }],
	'exec' => ['imported', ['exec', '--rootfs', 'tiny', '--output', "/out=$out", '--', '/bin/sh', '-c', 'cat /bin/sh >/out/it'],
		sub { sums("$out/it") }],
	'pack' => ['none', ['image', 'pack', "$work/source", '-o', "$out.tar"], sub { sums("$out.tar") }],
	'gc' => ['built', ['cache', 'gc', '--max-age', '0'], sub { counts('') }],
	# A root filesystem that cannot be read is laid out anew by whoever needs it.
	'verify' => ['built', ['cache', 'verify'], sub { counts(', .rootfs') }],
);

# ---- one fault -------------------------------------------------------------------------------------------

my ($fault, $n, $scene, $expected);

# What is wrong with how a disturbed run ended.
sub bad_end
{
	my ($report, $came) = @_;

	return 'it hung' if $report->{hung};
	return 'it left processes behind' if $report->{left};
	my $said = slurp("$work/err");
	return $fault eq 'kill' ? () : "it died of signal $report->{signal}: $said" if defined $report->{signal};
	return $came->() eq $expected ? () : 'it said all was well, and gave something else' if $report->{exit} == 0;
	return "exit status $report->{exit}, though nothing had failed: $said" if grep { $_ eq $fault } @harmless, 'kill';
	# What the user has chosen: a tmpfs is full when its limit is met, and a place for the result that cannot be written to is another's.
	my $usage = $report->{exit} == 2 && $said =~ /limit tmp: .* too few|beside it: Read-only file system/;
	my $damage = $report->{exit} == 4 && $fault eq 'EIO' && $said =~ /^glovebox: the store was damaged/m;
	return "exit status $report->{exit}: $said" if !$documented{ $report->{exit} } && !$usage && !$damage;
	my @errors = $said =~ /^glovebox: (.*)$/mg;
	return @errors == 1 && $errors[0] =~ /\w/ ? () : 'not one error, but ' . @errors . ": $said";
}

# Names below a directory that a pattern takes.
sub names
{
	my ($dir, $pattern) = @_;
	my @found;

	find({ no_chdir => 1, wanted => sub { push @found, $_ if m{$pattern} } }, $dir) if -d $dir;
	return @found;
}

# What a killed run has started ends within a second, and with it what keeps others from its scratch.
sub tmp_is_empty
{
	for (1 .. 50) {
		return 1 if !glob("$now/store/tmp/*");
		return 0 if $fault ne 'kill';
		select(undef, undef, undef, 0.1);
		must($glovebox, 'cache', 'gc');
	}
	return 0;
}

# What is wrong in the store, and with the next run.
sub bad_after
{
	my ($command, $came, $report) = @_;
	my @bad;

	push @bad, 'the store does not verify: ' . slurp("$work/out") . slurp("$work/err")
		if -d "$now/store" && run($glovebox, 'cache', 'verify') != 0;
	# What exec has brought out is not written over, nor what it was killed over.
	must('rm', '-rf', $out) if !$report->{exit};
	my $again = watched([], @$command);
	if (($again->{exit} // -1) != 0) {
		push @bad, 'the next run fails: ' . slurp("$work/err");
	} else {
		push @bad, 'the next run gives something else' if $came->() ne $expected;
	}
	push @bad, "left in tmp/: @{[glob(qq($now/store/tmp/*))]}" if !tmp_is_empty();
	my $unlinked = ($report->{at} // '') =~ /^unlink/;
	my @parts = names($now, qr{/\.glovebox-});
	push @bad, "left: @parts" if @parts && $fault ne 'kill' && !$unlinked;
	return @bad;
}

# Tries one, and returns what was wrong; sets whether there was an Nth call at all.
sub try
{
	my ($reached) = @_;
	my ($template, $command, $came) = @$scene;

	begin_with($template);
	my $report = watched([$fault, $n], @$command);
	$$reached = defined $report->{at};
	my @bad = (bad_end($report, $came), bad_after($command, $came, $report));
	my $at = "$fault $n (" . ($report->{at} // 'not reached') . ')';
	return map { "$at: $_" } @bad;
}

# ---- all of them -------------------------------------------------------------------------------------------

# So many of the numbers up to the last, in fixed strides; where the first is falls differently for each kind and scene.
my $kinds = 0;
sub chosen
{
	my ($last) = @_;
	my $first = ++$kinds * 0.618 - int($kinds * 0.618);

	return ($only_n) if defined $only_n;
	# Threads take turns: there may be a few calls more another time.
	return (1 .. $last + 1000) if $samples eq 'all';
	return 1 .. $last if $last <= $samples;
	return map { 1 + int(($first + $_) * $last / $samples) } 0 .. $samples - 1;
}

my $tests = 0;
sub result
{
	my ($title, @bad) = @_;
	$tests++;
	print @bad ? 'not ' : '', "ok $tests - $title\n";
	print map { s/^/# /mgr . "\n" } map { s/\n+\z//r } @bad[0 .. ($#bad < 19 ? $#bad : 19)];
	return;
}

$| = 1;
my ($wanted, $befell) = (0, 0);
make_inputs();
make_templates();
for my $name (sort keys %scenes) {
	next if defined $only_scene && $name ne $only_scene;
	$scene = $scenes{$name};
	begin_with($scene->[0]);
	my $all = watched([], @{ $scene->[1] });
	die "$name: does not work undisturbed: " . slurp("$work/err") if ($all->{exit} // -1) != 0;
	$expected = $scene->[2]->();
	for (grep { !defined $only_fault || $_ eq $only_fault } @faults) {
		$fault = $_;
		my ($done, @bad) = (0);
		for (chosen($all->{$fault})) {
			$n = $_;
			push @bad, try(\my $reached);
			last if !$reached;
			$done++;
		}
		next if $all->{$fault} == 0;
		$wanted += $samples eq 'all' ? $all->{$fault} : 1;
		$befell += $done;
		result("$name: $fault, $done of $all->{$fault} calls", @bad);
	}
}
result("faults befell as many calls as they should", $befell * 2 > $wanted ? () : "$befell, not $wanted");
print "1..$tests\n";
