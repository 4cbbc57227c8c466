<?php
// Plays a client or a worker with PHP's gearman extension: driver.php HOST PORT; peers/README.md has the line protocol.
[, $host, $port] = $argv;

/** Says one line to the runner. */
function say(string ...$words): void
{
    fwrite(STDOUT, implode(' ', $words) . "\n");
}

/** The words of the next line, or the end of this program when there is none. */
function hear(): array
{
    $line = fgets(STDIN);
    if ($line === false) {
        exit(0);
    }
    return explode(' ', rtrim($line, "\n"));
}

function data(string $word): string
{
    return hex2bin(substr($word, 1));
}

function word(?string $data): string
{
    return '=' . bin2hex((string) $data);
}

/** A client whose callbacks say what they hear; the context of a task is its tag. */
function client(): GearmanClient
{
    global $host, $port, $exceptions;
    $client = new GearmanClient();
    // The last argument: the option `exceptions` is asked for only when the runner says so.
    $client->addServer($host, (int) $port, false);
    $tell = fn (string $event) => function (GearmanTask $task, $tag) use ($event) {
        say($tag, $event, word($task->data()));
    };
    $client->setDataCallback($tell('data'));
    $client->setWarningCallback($tell('warning'));
    $client->setCompleteCallback($tell('complete'));
    $client->setFailCallback(fn (GearmanTask $task, $tag) => say($tag, 'fail'));
    $client->setStatusCallback(function (GearmanTask $task, $tag) {
        say($tag, 'status', (string) $task->taskNumerator(), (string) $task->taskDenominator());
    });
    // With this callback the extension asks for exceptions.
    if ($exceptions) {
        $client->setExceptionCallback($tell('exception'));
        $client->enableExceptionHandler();
    }
    return $client;
}

/** Runs the tasks that were added, and says how that ended. */
function run(): void
{
    global $client;
    @$client->runTasks();
    switch ($client->returnCode()) {
        case GEARMAN_TIMEOUT:
            say('timeout');
            break;
        case GEARMAN_SUCCESS:
        case GEARMAN_WORK_FAIL:
        case GEARMAN_WORK_EXCEPTION:
            say('ran');
            break;
        default:
            say('#', str_replace("\n", ' ', $client->error()));
            // A client that has lost its server counts the lost tasks as running for ever.
            $client = client();
            say('lost');
    }
}

/** Does what a client can be told, in a program of its own or inside a job. */
function command(array $words): void
{
    global $client, $exceptions;
    [$verb, $one, $function, $unique, $priority, $workload] = array_pad($words, 6, '');
    $unique = $unique === 'none' ? null : $unique;
    switch ($verb) {
        case 'exceptions':
            $exceptions = true;
            $client = client();
            break;
        case 'timeout':
            $client->setTimeout((int) $one);
            break;
        case 'task':
            $add = ['normal' => 'addTask', 'high' => 'addTaskHigh', 'low' => 'addTaskLow'][$priority];
            $client->$add($function, data($workload), $one, $unique);
            break;
        case 'run':
            run();
            break;
        case 'background':
            $do = ['normal' => 'doBackground', 'high' => 'doHighBackground', 'low' => 'doLowBackground'][$priority];
            $handle = @$client->$do($function, data($workload), $unique);
            $client->returnCode() === GEARMAN_SUCCESS ? say($one, 'created', $handle) : say($one, 'lost');
            break;
        case 'poll':
            [$known, $running] = $client->jobStatus($one);
            say('polled', (string) (int) $known, (string) (int) $running);
            break;
        case 'progress':
            [, , $numerator, $denominator] = $client->jobStatus($one);
            say('progressed', (string) $numerator, (string) $denominator);
            break;
        default:
            say('cannot', $verb);
    }
}

/** Does one job as the runner says. */
function job(GearmanJob $job): ?string
{
    say('job', $job->functionName(), word($job->workload()));
    while (true) {
        $words = hear();
        switch ($words[0]) {
            case 'complete':
                return data($words[1]);
            case 'fail':
                $job->sendFail();
                return null;
            case 'exception':
                $job->sendException(data($words[1]));
                return null;
            case 'data':
                $job->sendData(data($words[1]));
                break;
            case 'warning':
                $job->sendWarning(data($words[1]));
                break;
            case 'status':
                $job->sendStatus((int) $words[1], (int) $words[2]);
                break;
            case 'unique':
                say('unique', $job->unique());
                break;
            default:
                command($words);
        }
    }
}

/** Serves functions until the runner ends this program; work() connects anew after the server was away. */
function serve(array $functions): void
{
    global $host, $port;
    $worker = new GearmanWorker();
    $worker->addServer($host, (int) $port);
    foreach ($functions as $function) {
        [$name, $timeout] = array_pad(explode(':', $function), 2, '0');
        $worker->addFunction($name, fn (GearmanJob $job) => job($job), null, (int) $timeout);
    }
    while (true) {
        @$worker->work();
        if (!in_array($worker->returnCode(), [GEARMAN_SUCCESS, GEARMAN_WORK_FAIL, GEARMAN_WORK_EXCEPTION])) {
            say('#', str_replace("\n", ' ', $worker->error()));
            usleep(50000);
        }
    }
}

$exceptions = false;
$client = client();
while (true) {
    $words = hear();
    $words[0] === 'serve' ? serve(array_slice($words, 1)) : command($words);
}
