<?php
// worker.php PORT FUNCTION RECORD: upper-cases workloads, fails those that say so, and records each.
[, $port, $function, $record] = $argv;
$worker = new GearmanWorker();
$worker->addServer('127.0.0.1', (int) $port);
$worker->addFunction($function, function (GearmanJob $job) use ($record) {
    $workload = $job->workload();
    file_put_contents($record, $workload . "\n", FILE_APPEND);
    if ($workload === 'fail') {
        $job->sendFail();
        return null;
    }
    return strtoupper($workload);
});
while (true) {
    if (!@$worker->work() && $worker->returnCode() !== GEARMAN_WORK_FAIL) {
        fwrite(STDERR, 'worker: ' . $worker->error() . "\n");
        exit(1);
    }
}
