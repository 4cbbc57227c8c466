<?php
// client.php PORT foreground|background FUNCTION < workload: prints the result, or the handle; exits with 3 when the job failed.
[, $port, $mode, $function] = $argv;
$workload = stream_get_contents(STDIN);
$client = new GearmanClient();
$client->addServer('127.0.0.1', (int) $port);
$answer = $mode === 'background'
    ? @$client->doBackground($function, $workload)
    : @$client->doNormal($function, $workload);
switch ($client->returnCode()) {
    case GEARMAN_SUCCESS:
        fwrite(STDOUT, $answer);
        exit(0);
    case GEARMAN_WORK_FAIL:
    case GEARMAN_WORK_EXCEPTION:
        exit(3);
    default:
        fwrite(STDERR, 'client: ' . $client->error() . "\n");
        exit(1);
}
