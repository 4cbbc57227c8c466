# worker.pl PORT FUNCTION RECORD: upper-cases workloads, dies of those that say "fail", and records each.
use strict;
use warnings;
use Gearman::Worker;

my ($port, $function, $record) = @ARGV;
my $worker = Gearman::Worker->new(job_servers => ["127.0.0.1:$port"]);
$worker->register_function($function, sub {
    my $workload = $_[0]->arg;
    open my $file, '>>:raw', $record or die "$record: $!";
    print $file $workload, "\n";
    close $file or die "$record: $!";
    # A dying function sends WORK_EXCEPTION and then WORK_FAIL.
    die "asked to\n" if $workload eq 'fail';
    return uc $workload;
});
$worker->work while 1;
