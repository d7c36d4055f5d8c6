#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Every function, structure and enumeration in a public header (FOLDER/FOLDER.h, and all of base/) has
# a doc comment: above it, or above the run of lines that it stands in without a blank line (a pair such
# as begin and end shares one), or behind it on its line; a structure whose members have theirs is
# documented too. What only frees, closes or clears needs none, nor do owners.
use strict;
use warnings;
use File::Basename;

my $plain = qr/^(own_\w+|auto_\w+|\w+_(free|close|clear))$/;

# Names without a doc comment in a header's text, each with its line.
sub undocumented
{
	my ($text) = @_;
	my (@found, $open);
	my ($line, $documented, $depth, $comment) = (0, 0, 0, 0);

	for (split /\n/, $text) {
		$line++;
		my $doc_begins = m{/\*\*};
		if ($comment || m{^\s*/\*}) {
			# A comment of any length; a doc comment documents the run below it.
			$documented = 1 if $doc_begins && !$depth;
			undef $open if $doc_begins;
			$comment = !m{\*/};
			next;
		}
		if (/^\s*$/) {
			$documented = 0 if !$depth;
			next;
		}
		if (!$depth && !$documented && !$doc_begins && !/^#/ && !/^[\t ]/) {
			my $name = /^(?:struct|enum|union)\s+(\w+)\s*\{/ ? $1
				: /^(?:struct|enum|union)\s+\w+\s*;/ ? undef
				: /(\w+)\s*\(/ && !/^(?:typedef|OWN_DEFINE|_Static_assert|static_assert|extern "C")/ ? $1 : undef;
			$open = [$line, $name] if defined $name && $name !~ $plain && $name ne '__attribute__';
		}
		# A comment inside speaks for the whole.
		undef $open if $doc_begins;
		my $code = s{/\*.*?\*/}{}gr;
		$depth += () = $code =~ /\{/g;
		$depth -= () = $code =~ /\}/g;
		if ($open && !$depth) {
			push @found, $open;
			undef $open;
		}
	}
	return @found;
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
my @headers = grep { m{^base/} || m{^(\w+)/\1\.h$} } sort glob('*/*.h');
my @offences = @headers ? () : 'there are no headers';
for my $file (@headers) {
	my $text = slurp($file);
	push @offences, map { "$file:$_->[0]: $_->[1] has no doc comment" } undocumented($text);
	# The folder's own header says what the folder is for.
	push @offences, "$file: has no \@file comment" if $file =~ m{^(\w+)/\1\.h$} && $text !~ /\@file/;
}
result('every symbol in a header has its doc comment', @offences);

for my $bad ("int f(void);", "/* plain */\nint f(void);", "/** Doc. */\nint a(void);\n\nint f(void);", "struct f {\n\tint a;\n};", "enum f { A };") {
	my ($found) = undocumented($bad);
	result('notices: ' . $bad =~ s/\s+/ /gr, $found && $found->[1] eq 'f' ? () : 'not noticed');
}
for my $good ("/** Doc. */\nint f(void);\nint g(void);", "void f_free(struct f *f);", "struct f;", "/** Doc,\n * long. */\nint f(int a,\n\tint b);",
	"enum f { A }; /**< Doc. */", "#define f(x) x",
	"struct f {\n\tint a; /**< Doc. */\n};") {
	result('takes no offence at: ' . $good =~ s/\s+/ /gr, map { $_->[1] } undocumented($good));
}
print "1..$n\n";
