"""Plays a client or a worker with Python's gear: driver.py HOST PORT; peers/README.md has the line protocol."""

import logging
import sys
import threading

import gear

HOST, PORT = sys.argv[1], int(sys.argv[2])
PRECEDENCE = {"normal": gear.PRECEDENCE_NORMAL, "high": gear.PRECEDENCE_HIGH, "low": gear.PRECEDENCE_LOW}

# The client's own thread says what it hears while the main thread waits.
speaking = threading.Lock()


def say(*words):
    with speaking:
        sys.stdout.write(" ".join(words) + "\n")
        sys.stdout.flush()


def hear():
    """The words of the next line, or the end of this program when there is none."""
    line = sys.stdin.readline()
    if not line:
        raise SystemExit(0)
    return line.rstrip("\n").split(" ")


def data(word):
    return bytes.fromhex(word[1:])


def word(data):
    return "=" + (data or b"").hex()


class Client(gear.Client):
    """A client that says what its jobs hear; `done` says when a job has ended."""

    def ended(self, job, *words):
        say(job.tag, *words)
        job.done.set()

    def handleWorkComplete(self, packet):
        job = super().handleWorkComplete(packet)
        self.ended(job, "complete", word(packet.getArgument(1, True)))
        return job

    def handleWorkFail(self, packet):
        job = super().handleWorkFail(packet)
        self.ended(job, "fail")
        return job

    def handleWorkException(self, packet):
        job = super().handleWorkException(packet)
        self.ended(job, "exception", word(job.exception))
        return job

    def handleWorkData(self, packet):
        job = super().handleWorkData(packet)
        say(job.tag, "data", word(packet.getArgument(1, True)))
        return job

    def handleWorkWarning(self, packet):
        job = super().handleWorkWarning(packet)
        say(job.tag, "warning", word(packet.getArgument(1, True)))
        return job

    def handleWorkStatus(self, packet):
        job = super().handleWorkStatus(packet)
        say(job.tag, "status", job.numerator.decode(), job.denominator.decode())
        return job

    def handleStatusRes(self, packet):
        job = super().handleStatusRes(packet)
        job.answered.set()
        return job

    def handleDisconnect(self, job):
        super().handleDisconnect(job)
        if not job.done.is_set():
            job.lost = True
            job.done.set()


class Player:
    """What a client can be told, in a program of its own or inside a job."""

    def __init__(self):
        self.client = None
        self.tasks = []
        self.background = {}

    def connected(self):
        if self.client is None:
            self.client = Client("driver")
            self.client.addServer(HOST, PORT)
        self.client.waitForServer()
        return self.client

    def job(self, tag, function, unique, workload):
        job = gear.Job(function.encode(), data(workload), None if unique == "none" else unique.encode())
        job.tag, job.lost = tag, False
        job.done, job.answered = threading.Event(), threading.Event()
        return job

    def command(self, verb, *words):
        if verb == "exceptions":
            self.connected().setOption("exceptions")
        elif verb == "task":
            tag, function, unique, priority, workload = words
            self.tasks.append((self.job(tag, function, unique, workload), PRECEDENCE[priority]))
        elif verb == "run":
            self.run()
        elif verb == "background":
            tag, function, unique, priority, workload = words
            job = self.job(tag, function, unique, workload)
            try:
                self.connected().submitJob(job, background=True, precedence=PRECEDENCE[priority])
            except gear.GearmanError as error:
                say("#", str(error))
                return say(tag, "lost")
            self.background[job.handle.decode()] = job
            say(tag, "created", job.handle.decode())
        elif verb in ("poll", "progress"):
            self.poll(verb, self.background[words[0]])
        else:
            say("cannot", verb)

    def run(self):
        """Submits the tasks that were added, waits for all, and says how that ended."""
        tasks, self.tasks = self.tasks, []
        for job, precedence in tasks:
            try:
                self.connected().submitJob(job, precedence=precedence)
            except gear.GearmanError as error:
                say("#", str(error))
                return say("lost")
        for job, _ in tasks:
            job.done.wait()
        say("lost" if any(job.lost for job, _ in tasks) else "ran")

    def poll(self, verb, job):
        """The library reads STATUS_RES, and has no call that asks for it."""
        job.answered.clear()
        request = gear.Packet(gear.constants.REQ, gear.constants.GET_STATUS, job.handle)
        self.client.sendPacket(request, job.connection)
        job.answered.wait()
        if verb == "poll":
            say("polled", str(int(job.known)), str(int(job.running)))
        else:
            say("progressed", job.numerator.decode(), job.denominator.decode())


def do(job, player):
    """Does one job as the runner says."""
    say("job", job.name.decode() if isinstance(job.name, bytes) else job.name, word(job.arguments))
    while True:
        verb, *words = hear()
        if verb == "complete":
            return job.sendWorkComplete(data(words[0]))
        if verb == "fail":
            return job.sendWorkFail()
        if verb == "exception":
            return job.sendWorkException(data(words[0]))
        if verb == "data":
            job.sendWorkData(data(words[0]))
        elif verb == "warning":
            job.sendWorkWarning(data(words[0]))
        elif verb == "status":
            job.sendWorkStatus(*(int(word) for word in words))
        elif verb == "unique":
            say("unique", job.unique.decode())
        else:
            player.command(verb, *words)


def serve(functions, player):
    """Serves functions until the runner ends this program; the library connects anew after the server was away."""
    worker = gear.Worker("driver")
    worker.addServer(HOST, PORT)
    worker.waitForServer()
    for function in functions:
        name, _, limit = function.partition(":")
        worker.registerFunction(name, limit.encode() or None)
    while True:
        job = worker.getJob()
        try:
            do(job, player)
        except Exception as error:
            say("#", "the job was not answered:", repr(error).replace("\n", " "))


def main():
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    player = Player()
    while True:
        verb, *words = hear()
        serve(words, player) if verb == "serve" else player.command(verb, *words)


main()
