#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A system call fails, stops short or is the last one, the Nth of the real program (supervisor/): whatever N is, glovebox comes to its end or
# says in one line why not, with an exit status of its manual; the store is true; and the next run gives what it gives always, and leaves
# nothing in tmp/.
#
#   every_call.t [SCENE [FAULT [N]]]      GB_FAULTS: how many N of each kind are tried, or `all`: then by as many workers as there are processors
#                                         GB_FAULTS_PLACE: where scenes are played. A tmpfs (/dev/shm) spares the time in which a disk forgets files
#
# What is left of a disturbed run is mostly what another has left, too: the store is verified, and run on, once for each thing that can be left.
use strict;
use warnings;
use Cwd qw(realpath);
use Digest::MD5;
use Digest::SHA;
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
# Sources stay where $work is: what is known of a file that has not changed is known on a disk alone.
my $stage = realpath(tempdir('glovebox-fault.XXXXXX', DIR => $ENV{GB_FAULTS_PLACE} // $work, CLEANUP => 0));
chmod 0755, $work, $stage;
my $main = $$;
END {
	my $status = $?;
	return if $$ != $main;
	# Overlay work directories have no permissions at all.
	system('chmod', '-R', 'u+rwX', $_), system('rm', '-rf', $_) for grep { defined } $stage, $work;
	$? = $status;
}
# What is run, and changed, is in $now, and its results in $out; what it begins with is copied to here. Beside it lie its output and its report.
# Each worker has a place of its own.
my ($place, $now, $out);
sub take_place
{
	($place) = @_;
	-d $place or mkdir $place or die "$place: $!\n";
	$now = "$place/now";
	$out = "$now/out";
	$ENV{GLOVEBOX_STORE} = "$now/store";
	return;
}
take_place("$stage/main");

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

# Runs it with its output in $place/out and $place/err; its exit status, or 128 and the signal.
sub run
{
	my (@command) = @_;
	my $pid = fork() // die "fork: $!\n";

	if ($pid == 0) {
		open(STDIN, '<', '/dev/null') && open(STDOUT, '>', "$place/out") && open(STDERR, '>', "$place/err") && exec(@command);
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
	my $status = run($faults, "$place/report", @$fault, '--', $glovebox, @command);

	die "faults: exit status $status: " . slurp("$place/err") if $status != 0;
	for (split /\n/, slurp("$place/report")) {
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

	die "@command: exit status $status\n" . slurp("$place/err") if $status != 0;
	return slurp("$place/out") // '';
}

sub begin_with
{
	my ($template) = @_;
	must('rm', '-rf', $now);
	if (-e "$stage/$template") {
		must('cp', '-a', "$stage/$template", $now);
	} else {
		mkdir $now or die "$now: $!\n";
	}
	return;
}

sub keep_as
{
	my ($template) = @_;
	rename($now, "$stage/$template") or die "$template: $!\n";
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

sub last_line { return (slurp("$place/out") // '') =~ /([^\n]*)\n\z/ ? $1 : '' }
sub sums { return join ' ', map { -f $_ ? Digest::SHA->new(256)->addfile($_, 'b')->hexdigest : 'none' } @_ }
sub counts { my ($but) = @_; return must('sh', '-c', "'$glovebox' cache stats --json | jq -c 'del(.bytes$but) | map_values(.count)'") }

# NAME: the store that it begins with, what is run here, and what came of it.
sub scenes
{
	return (
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
}

# ---- one fault -------------------------------------------------------------------------------------------

my ($fault, $n, $scene, $scene_number, $expected);

# What is wrong with how a disturbed run ended.
sub bad_end
{
	my ($report, $came) = @_;

	return 'it hung' if $report->{hung};
	return 'it left processes behind' if $report->{left};
	my $said = slurp("$place/err");
	return $fault eq 'kill' ? () : "it died of signal $report->{signal}: $said" if defined $report->{signal};
	# A collection keeps a root filesystem of which it cannot ask whether it is in use.
	my $kept = $scene->[3] eq 'gc' && ($report->{at} // '') =~ m{^openat rootfs/\w+$};
	return $kept || $came->() eq $expected ? () : 'it said all was well, and gave something else' if $report->{exit} == 0;
	return "exit status $report->{exit}, though nothing had failed: $said" if grep { $_ eq $fault } @harmless, 'kill';
	# What the user has chosen: a tmpfs is full when its limit is met, and a place for the result that cannot be written to is another's.
	my $usage = $report->{exit} == 2 && $said =~ /limit tmp: .* too few|beside it: Read-only file system/;
	my $damage = $report->{exit} == 4 && $fault eq 'EIO' && $said =~ /^glovebox: the store was damaged/m;
	return "exit status $report->{exit}: $said" if !$documented{ $report->{exit} } && !$usage && !$damage;
	my @errors = $said =~ /^glovebox: (.*)$/mg;
	return @errors == 1 && $errors[0] =~ /\w/ ? () : 'not one error, but ' . @errors . ": $said";
}

# ---- what it has left ------------------------------------------------------------------------------------

# What a result says, but for the times in it, when its first line fits: with another, nobody would look further.
sub result_text
{
	my ($name, $text) = @_;
	my ($sum, $json) = $text =~ /\A([0-9a-f]{64})\n(.*)\z/s or return $text;

	return $text if Digest::SHA::sha256_hex("$name\0$json") ne $sum;
	return $json =~ s/\d+/0/gr;
}

# What the next run may find in a file: scratch is swept and results are written over, whatever is in them.
sub content
{
	my ($path, $at) = @_;

	return '' if $at =~ m{^/(?:store/tmp|out)};
	my $text = slurp($path) // return 'unreadable';
	return Digest::MD5::md5_hex($at =~ m{^/store/results/(.*)} ? result_text($1, $text) : $text);
}

# All that is left, as a digest: names but for their random parts, types, modes, contents; of root filesystems times too, as those are compared.
sub left
{
	my @lines;
	no warnings 'File::Find';

	find({ no_chdir => 1, wanted => sub {
		my $at = substr($_, length $now);
		my (undef, undef, $mode, undef, undef, undef, undef, undef, undef, $mtime) = lstat($_) or return;
		my $what = -l _ ? readlink($_) : -f _ ? content($_, $at) : '';
		$what .= " $mtime" if $at =~ m{^/store/rootfs/\w+/root/};
		push @lines, sprintf("%s %o %s\n", $at =~ s{\.glovebox-\K[0-9a-f]{32}}{}r =~ s{^/store/tmp/\K[^/]+}{}r, $mode, $what);
	} }, $now);
	return Digest::MD5::md5_hex(sort @lines);
}

# What a killed run has started ends within a second, and with it what keeps others from its scratch.
sub tmp_is_empty
{
	for (1 .. 1200) {
		return 1 if !glob("$now/store/tmp/*");
		return 0 if $fault ne 'kill';
		must($glovebox, 'cache', 'gc');
		select(undef, undef, undef, 0.05) if glob("$now/store/tmp/*");
	}
	return 0;
}

# Names of what was to become something.
sub parts
{
	my @found;

	find({ no_chdir => 1, wanted => sub { push @found, $_ if m{/\.glovebox-} } }, $now);
	return @found;
}

# What is wrong in the store, and with the next run.
sub bad_after
{
	my ($command, $came, $report) = @_;
	my @bad;

	push @bad, 'the store does not verify: ' . slurp("$place/out") . slurp("$place/err")
		if -d "$now/store" && run($glovebox, 'cache', 'verify') != 0;
	# What exec has brought out is not written over, nor what it was killed over.
	must('rm', '-rf', $out) if !$report->{exit};
	my $again = watched(['kill', 0], @$command);
	if (($again->{exit} // -1) != 0) {
		push @bad, 'the next run fails: ' . slurp("$place/err");
	} else {
		push @bad, 'the next run gives something else' if $came->() ne $expected;
	}
	push @bad, "left in tmp/: @{[glob(qq($now/store/tmp/*))]}" if !tmp_is_empty();
	my @parts = parts();
	push @bad, "left: @parts" if @parts && $fault ne 'kill' && !unlinked($report);
	return @bad;
}

sub unlinked { return ($_[0]{at} // '') =~ /^unlink/ }

# The same, unless just that has been looked at before, after whatever fault and by whichever worker, and was well.
sub bad_after_this
{
	my ($command, $came, $report) = @_;
	my $seen = "$work/seen/" . join('-', $scene_number, left(), $fault eq 'kill' ? 'killed' : 'ended', unlinked($report) ? 'still' : 'gone',
		$report->{exit} ? 'bad' : 'well');

	return if -e $seen;
	my @bad = bad_after($command, $came, $report);
	spew($seen, '') if !@bad;
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
	my @bad = (bad_end($report, $came), bad_after_this($command, $came, $report));
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

# A worker's share of one fault, from its own place; writes how many befell, and what was wrong.
sub work_on
{
	my ($which, $of, @all) = @_;
	my ($name, $done, @bad) = ($scene->[3], 0);

	take_place("$stage/worker$which");
	$scene = [@{ +{ scenes() }->{$name} }, $name];
	for (grep { $_ % $of == $which } 0 .. $#all) {
		$n = $all[$_];
		push @bad, try(\my $reached);
		last if !$reached;
		$done++;
	}
	spew("$work/share$which", join("\0", $done, @bad));
	return;
}

# Tries all of them, by so many workers; how many befell, and what was wrong.
sub try_all
{
	my ($workers, @all) = @_;
	my ($done, @bad, %pids) = (0);

	for my $which (0 .. $workers - 1) {
		my $pid = fork() // die "fork: $!\n";
		$pids{$pid} = $which, next if $pid != 0;
		POSIX::_exit(eval { work_on($which, $workers, @all); 1 } ? 0 : (print(STDERR $@), 1));
	}
	while (%pids) {
		my $which = delete $pids{ my $pid = wait() } // next;
		die "worker $which: $scene->[3], $fault: status $?\n" if $? != 0;
		my ($n, @wrong) = split /\0/, slurp("$work/share$which");
		$done += $n;
		push @bad, @wrong;
	}
	return ($done, @bad);
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
mkdir "$work/seen" or die "$work/seen: $!\n";
my $workers = $samples eq 'all' ? must('nproc') + 0 : 1;
my %scenes = scenes();
for my $name (sort keys %scenes) {
	$scene_number++;
	next if defined $only_scene && $name ne $only_scene;
	$scene = [@{ $scenes{$name} }, $name];
	begin_with($scene->[0]);
	my $all = watched([], @{ $scene->[1] });
	die "$name: does not work undisturbed: " . slurp("$place/err") if ($all->{exit} // -1) != 0;
	$expected = $scene->[2]->();
	for (grep { !defined $only_fault || $_ eq $only_fault } @faults) {
		$fault = $_;
		my ($done, @bad) = try_all($workers, chosen($all->{$fault}));
		next if $all->{$fault} == 0;
		$wanted += $samples eq 'all' ? $all->{$fault} : 1;
		$befell += $done;
		result("$name: $fault, $done of $all->{$fault} calls", @bad);
	}
}
result("faults befell as many calls as they should", $befell * 2 > $wanted ? () : "$befell, not $wanted");
print '# ', scalar(() = glob("$work/seen/*")), " different things were left\n" if $samples eq 'all';
print "1..$tests\n";
