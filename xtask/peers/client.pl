# client.pl PORT foreground|background FUNCTION < workload: prints the result, or the handle; exits with 3 when the job failed.
use strict;
use warnings;
use Gearman::Client;
use Gearman::Task;

my ($port, $mode, $function) = @ARGV;
binmode STDIN;
binmode STDOUT;
my $workload = do { local $/; <STDIN> };
my $client = Gearman::Client->new(job_servers => ["127.0.0.1:$port"]);
if ($mode eq 'background') {
    my $handle = $client->dispatch_background($function, \$workload) or die "client: not accepted\n";
    print $handle;
    exit 0;
}
my $failed = 0;
my $result = $client->do_task(Gearman::Task->new($function, \$workload, { on_fail => sub { $failed = 1 } }));
exit 3 if $failed;
die "client: no result\n" unless defined $result;
print $$result;
