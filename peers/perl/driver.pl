# Plays a client or a worker with Perl's Gearman modules: driver.pl HOST PORT; peers/README.md has the line protocol.
use strict;
use warnings;
use Gearman::Client;
use Gearman::Task;
use Gearman::Worker;

my ($host, $port) = @ARGV;
$| = 1;
binmode STDIN;
binmode STDOUT;

sub say_line { print join(' ', @_), "\n" }

# The words of the next line, or the end of this program when there is none.
sub hear {
    my $line = <STDIN>;
    exit 0 unless defined $line;
    chomp $line;
    return split / /, $line;
}

sub data { return pack 'H*', substr $_[0], 1 }
sub word { return '=' . unpack 'H*', $_[0] }

sub comment { my ($text) = @_; $text =~ tr/\n/ /; say_line('#', $text) }

my (%options, $client, $timeout, @tasks, $worker);

sub client {
    $client ||= Gearman::Client->new(job_servers => ["$host:$port"], %options);
    return $client;
}

sub task {
    my ($tag, $function, $unique, $priority, $workload) = @_;
    my $bytes = data($workload);
    push @tasks, Gearman::Task->new($function, \$bytes, {
        uniq         => $unique eq 'none' ? '' : $unique,
        priority     => $priority,
        on_data      => sub { say_line($tag, 'data', word(${ $_[0] })) },
        on_warning   => sub { say_line($tag, 'warning', word(${ $_[0] })) },
        on_status    => sub { say_line($tag, 'status', @_) },
        on_complete  => sub { say_line($tag, 'complete', word(${ $_[0] })) },
        on_exception => sub { say_line($tag, 'exception', word($_[0])) },
        # The module calls this also for tasks that it gives up, with its reason.
        on_fail => sub { say_line($tag, 'fail') unless ($_[0] // '') =~ /elapsed timeout|undefined jssock/ },
    });
}

# Runs the tasks that were added as one task set, and says how that ended.
sub run {
    my $end = 'ran';
    my $set = client()->new_task_set;
    my $ran = eval {
        for (@tasks) {
            $set->add_task($_);
            $end = 'lost' if ($_->is_finished || '') eq 'undefined jssock';
        }
        $set->wait(timeout => $timeout);
        1;
    };
    comment($@), $end = 'lost' unless $ran;
    $end = 'timeout' if grep { ($_->is_finished || '') =~ /elapsed timeout/ } @tasks;
    @tasks = ();
    # A client whose server went away keeps the broken connection and a time during which it does not try again.
    undef $client if $end ne 'ran';
    say_line($end);
}

# Does what a client can be told, in a program of its own or inside a job.
sub command {
    my ($verb, @words) = @_;
    if    ($verb eq 'exceptions') { $options{exceptions} = 1; undef $client }
    elsif ($verb eq 'timeout')    { $timeout = $words[0] / 1000 }
    elsif ($verb eq 'task')       { task(@words) }
    elsif ($verb eq 'run')        { run() }
    elsif ($verb eq 'background') {
        my ($tag, $function, $unique, $priority, $workload) = @words;
        my $bytes  = data($workload);
        my $task   = Gearman::Task->new($function, \$bytes,
            { uniq => $unique eq 'none' ? '' : $unique, priority => $priority });
        my $handle = eval { client()->dispatch_background($task) };
        say_line($tag, $handle ? ('created', $handle) : 'lost');
    }
    elsif ($verb eq 'poll') {
        my $status = client()->get_status($words[0]);
        say_line('polled', $status ? map { $_ ? 1 : 0 } $status->known, $status->running : 'nothing');
    }
    elsif ($verb eq 'progress') {
        my $status = client()->get_status($words[0]);
        say_line('progressed', $status && $status->progress ? @{ $status->progress } : (0, 0));
    }
    else { say_line('cannot', $verb) }
}

# Does one job as the runner says; a function that returns nothing fails its job.
sub job {
    my ($job, $function) = @_;
    say_line('job', $function, word($job->arg));
    while (1) {
        my ($verb, @words) = hear();
        if    ($verb eq 'complete')  { return data($words[0]) }
        elsif ($verb eq 'fail')      { return undef }
        elsif ($verb eq 'exception') { $worker->send_work_exception($job, data($words[0])); return undef }
        # The worker sends WORK_EXCEPTION, and WORK_FAIL after it.
        elsif ($verb eq 'die')       { die data($words[0]) . "\n" }
        elsif ($verb eq 'data')      { $worker->send_work_data($job, data($words[0])) }
        elsif ($verb eq 'warning')   { $worker->send_work_warning($job, data($words[0])) }
        elsif ($verb eq 'status')    { $job->set_status(@words) }
        else                         { command($verb, @words) }
    }
}

# Serves functions until the runner ends this program.
# A worker that is told of a late result gives up; whoever runs Perl workers starts them again, and so does this.
sub serve {
    while (1) {
        # One that has given up must be gone, with its connection, before the next: no function may hold on to it.
        undef $worker;
        $worker = Gearman::Worker->new(job_servers => ["$host:$port"]);
        for (@_) {
            my ($name, $limit) = split /:/;
            my @limit = defined $limit ? $limit : ();
            $worker->register_function($name, @limit, sub { job($_[0], $name) });
        }
        eval { $worker->work; 1 } or comment($@);
    }
}

while (1) {
    my ($verb, @words) = hear();
    $verb eq 'serve' ? serve(@words) : command($verb, @words);
}
