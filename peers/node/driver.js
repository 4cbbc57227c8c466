'use strict'
// Plays a client or a worker with npm's gearman: node driver.js HOST PORT; peers/README.md has the line protocol.
// The library sends and reads packets; which packet belongs to which task, and the worker's loop, are its user's to write.
const gearman = require('gearman')
const readline = require('readline')

const [host, port] = process.argv.slice(2)
const say = (...words) => process.stdout.write(words.join(' ') + '\n')
const data = (word) => Buffer.from(word.slice(1), 'hex')
const word = (data) => '=' + Buffer.from(data || '').toString('hex')

// The lines that have come and that nobody has taken, or who waits for one.
const lines = []
let waiting = null
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const words = line.split(' ')
  if (!waiting) return lines.push(words)
  const take = waiting
  waiting = null
  take(words)
}).on('close', () => process.exit(0))
const hear = () => new Promise((resolve) => {
  if (lines.length > 0) resolve(lines.shift())
  else waiting = resolve
})

const connect = (connection) => new Promise((resolve) => connection.connect(resolve))
const once = (connection, event) => new Promise((resolve) => {
  const listener = (answer) => {
    connection.removeEventListener(event, listener)
    resolve(answer)
  }
  connection.on(event, listener)
})

// What a client can be told, in a program of its own or inside a job.
class Player {
  constructor () {
    this.connection = null
    this.exceptions = false
    this.timeout = null
    this.tasks = []
  }

  async connected () {
    if (this.connection) return this.connection
    this.tags = new Map()
    this.created = []
    this.end = () => {}
    const connection = gearman(host, Number(port), { timeout: this.timeout })
    connection.on('error', (error) => say('#', error.message))
    connection.on('close', () => {
      this.connection = null
      this.end('lost')
    })
    connection.on('timeout', () => this.end('timeout'))
    const ended = (handle, ...words) => {
      for (const tag of this.tags.get(handle) || []) say(tag, ...words)
      this.tags.delete(handle)
      if (this.tags.size === 0 && this.created.length === 0) this.end('ran')
    }
    const tell = (handle, ...words) => {
      for (const tag of this.tags.get(handle) || []) say(tag, ...words)
    }
    connection.on('JOB_CREATED', (handle) => this.created.shift()(handle))
    connection.on('WORK_DATA', ({ handle, payload }) => tell(handle, 'data', word(payload)))
    connection.on('WORK_WARNING', ({ handle, warning }) => tell(handle, 'warning', word(warning)))
    connection.on('WORK_STATUS', ({ handle, percent_num, percent_den }) => tell(handle, 'status', percent_num, percent_den))
    connection.on('WORK_COMPLETE', ({ handle, payload }) => ended(handle, 'complete', word(payload)))
    connection.on('WORK_FAIL', ({ handle }) => ended(handle, 'fail'))
    connection.on('WORK_EXCEPTION', ({ handle, exception }) => ended(handle, 'exception', word(exception)))
    await connect(connection)
    this.connection = connection
    if (this.exceptions) {
      connection.setOption('exceptions')
      await once(connection, 'OPTION_RES')
    }
    return connection
  }

  // JOB_CREATED names no task: the answers come in the order of the submits.
  submit ([tag, func, unique, priority, workload], background, created) {
    this.created.push(created)
    const options = { unique_id: unique === 'none' ? undefined : unique, background, priority }
    this.connection.submitJob(func, data(workload), options)
  }

  // Submits the tasks that were added, waits for all, and says how that ended.
  async run () {
    await this.connected()
    const end = new Promise((resolve) => { this.end = resolve })
    for (const task of this.tasks.splice(0)) {
      this.submit(task, false, (handle) => this.tags.set(handle, [...(this.tags.get(handle) || []), task[0]]))
    }
    say(await end)
  }

  async background (task) {
    await this.connected()
    say(task[0], 'created', await new Promise((resolve) => this.submit(task, true, resolve)))
  }

  async command ([verb, ...words]) {
    if (verb === 'exceptions') this.exceptions = true
    else if (verb === 'timeout') this.timeout = Number(words[0])
    else if (verb === 'task') this.tasks.push(words)
    else if (verb === 'run') await this.run()
    else if (verb === 'background') await this.background(words)
    else if (verb === 'poll') {
      const connection = await this.connected()
      const answer = once(connection, 'STATUS_RES')
      connection.getJobStatus(words[0])
      const { known, running } = await answer
      say('polled', known, running)
    } else say('cannot', verb)
  }
}

// Does one job as the runner says.
async function job (connection, player, { handle, func_name, unique_id, payload }) {
  say('job', func_name, word(payload))
  while (true) {
    const [verb, ...words] = await hear()
    if (verb === 'complete') return connection.sendWorkComplete(handle, data(words[0]))
    if (verb === 'fail') return connection.sendWorkFail(handle)
    if (verb === 'exception') return connection.sendWorkException(handle, data(words[0]))
    if (verb === 'data') connection.sendWorkData(handle, data(words[0]))
    else if (verb === 'warning') connection.sendWorkWarning(handle, data(words[0]))
    else if (verb === 'status') connection.sendWorkStatus(handle, words[0], words[1])
    else if (verb === 'unique') say('unique', unique_id)
    else await player.command([verb, ...words])
  }
}

// Serves functions for as long as the connection lasts.
function serveOnce (functions, player) {
  return new Promise((resolve) => {
    const connection = gearman(host, Number(port))
    connection.on('error', (error) => say('#', error.message))
    connection.on('close', resolve)
    connection.on('NO_JOB', () => connection.preSleep())
    connection.on('NOOP', () => connection.grabUniqueJob())
    connection.on('JOB_ASSIGN_UNIQ', async (assigned) => {
      await job(connection, player, assigned)
      connection.grabUniqueJob()
    })
    connection.connect(() => {
      for (const name of functions) connection.addFunction(name)
      connection.grabUniqueJob()
    })
  })
}

async function main () {
  const player = new Player()
  while (true) {
    const words = await hear()
    if (words[0] !== 'serve') await player.command(words)
    else {
      while (true) {
        await serveOnce(words.slice(1), player)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
}

main()
