/* Plays a client or a worker with libgearman: driver HOST PORT; peers/README.md has the line protocol. */
#include <libgearman/gearman.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_WORDS = 16 };

/* One line from the runner, cut into words in place. */
struct line {
  char *text;
  size_t room;
  int count;
  char *words[MAX_WORDS];
};

struct bytes {
  char *start;
  size_t length;
};

static const char *host;
static in_port_t port;
static gearman_client_st *client;

static void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
  fflush(stdout);
}

static void put_hex(const void *data, size_t length) {
  const unsigned char *byte = data;
  for (size_t i = 0; i < length; i++) printf("%02x", byte[i]);
}

/* Says WORDS, and data as a word of its own. */
static void say_data(const char *words, const void *data, size_t length) {
  printf("%s =", words);
  put_hex(data, length);
  putchar('\n');
  fflush(stdout);
}

static void comment(const char *text) {
  printf("# ");
  for (; text && *text; text++) putchar(*text == '\n' ? ' ' : *text);
  putchar('\n');
  fflush(stdout);
}

/* Reads the next line; the program ends with its input. */
static void hear(struct line *line) {
  ssize_t length = getline(&line->text, &line->room, stdin);
  if (length < 0) exit(0);
  if (length > 0 && line->text[length - 1] == '\n') line->text[length - 1] = 0;
  line->count = 0;
  for (char *word = strtok(line->text, " "); word && line->count < MAX_WORDS; word = strtok(NULL, " "))
    line->words[line->count++] = word;
  for (int i = line->count; i < MAX_WORDS; i++) line->words[i] = "";
}

static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/* The bytes of a data word, which begins with `=`; to be freed. */
static struct bytes data(const char *word) {
  size_t length = *word ? strlen(word + 1) / 2 : 0;
  struct bytes bytes = {malloc(length + 1), length};
  for (size_t i = 0; i < length; i++)
    bytes.start[i] = (char)(digit(word[1 + 2 * i]) << 4 | digit(word[2 + 2 * i]));
  bytes.start[length] = 0;
  return bytes;
}

static const char *unique_of(const char *word) { return strcmp(word, "none") ? word : NULL; }

/* What a task hears; its context is its tag. */
static gearman_return_t tell(gearman_task_st *task, const char *event) {
  char words[128];
  snprintf(words, sizeof words, "%s %s", (const char *)gearman_task_context(task), event);
  say_data(words, gearman_task_data(task), gearman_task_data_size(task));
  return GEARMAN_SUCCESS;
}
static gearman_return_t on_data(gearman_task_st *task) { return tell(task, "data"); }
static gearman_return_t on_warning(gearman_task_st *task) { return tell(task, "warning"); }
static gearman_return_t on_complete(gearman_task_st *task) { return tell(task, "complete"); }
static gearman_return_t on_exception(gearman_task_st *task) { return tell(task, "exception"); }
static gearman_return_t on_fail(gearman_task_st *task) {
  say("%s fail", (const char *)gearman_task_context(task));
  return GEARMAN_SUCCESS;
}
static gearman_return_t on_status(gearman_task_st *task) {
  say("%s status %u %u", (const char *)gearman_task_context(task), gearman_task_numerator(task),
      gearman_task_denominator(task));
  return GEARMAN_SUCCESS;
}

static void make_client(void) {
  client = gearman_client_create(NULL);
  gearman_client_add_server(client, host, port);
  gearman_client_set_data_fn(client, on_data);
  gearman_client_set_warning_fn(client, on_warning);
  gearman_client_set_complete_fn(client, on_complete);
  gearman_client_set_exception_fn(client, on_exception);
  gearman_client_set_fail_fn(client, on_fail);
  gearman_client_set_status_fn(client, on_status);
}

static void add_task(char **words) {
  /* Tag and workload live as long as the task, which is as long as this program. */
  struct bytes workload = data(words[5]);
  char *tag = strdup(words[1]);
  gearman_return_t ret;
  if (!strcmp(words[4], "high"))
    gearman_client_add_task_high(client, NULL, tag, words[2], unique_of(words[3]), workload.start, workload.length, &ret);
  else if (!strcmp(words[4], "low"))
    gearman_client_add_task_low(client, NULL, tag, words[2], unique_of(words[3]), workload.start, workload.length, &ret);
  else
    gearman_client_add_task(client, NULL, tag, words[2], unique_of(words[3]), workload.start, workload.length, &ret);
  if (gearman_failed(ret)) comment(gearman_client_error(client));
}

/* Runs the tasks that were added, and says how that ended. */
static void run(void) {
  gearman_return_t ret = gearman_client_run_tasks(client);
  if (ret == GEARMAN_TIMEOUT || ret == GEARMAN_SUCCESS || ret == GEARMAN_WORK_FAIL || ret == GEARMAN_WORK_EXCEPTION) {
    gearman_client_task_free_all(client);
    say(ret == GEARMAN_TIMEOUT ? "timeout" : "ran");
    return;
  }
  comment(gearman_client_error(client));
  /* A client that has lost its server counts the lost tasks as running for ever. */
  gearman_client_free(client);
  make_client();
  say("lost");
}

static void background(char **words) {
  struct bytes workload = data(words[5]);
  gearman_job_handle_t handle;
  gearman_return_t ret;
  if (!strcmp(words[4], "high"))
    ret = gearman_client_do_high_background(client, words[2], unique_of(words[3]), workload.start, workload.length, handle);
  else if (!strcmp(words[4], "low"))
    ret = gearman_client_do_low_background(client, words[2], unique_of(words[3]), workload.start, workload.length, handle);
  else
    ret = gearman_client_do_background(client, words[2], unique_of(words[3]), workload.start, workload.length, handle);
  if (gearman_success(ret))
    say("%s created %s", words[1], handle);
  else
    say("%s lost", words[1]);
  free(workload.start);
}

/* reduce TAG PARTITIONER REDUCER UNIQUE WORKLOAD: the library's own map/reduce, which sends SUBMIT_REDUCE_JOB. */
static void reduce(char **words) {
  struct bytes workload = data(words[5]);
  gearman_argument_t argument = gearman_argument_make(NULL, 0, workload.start, workload.length);
  const char *unique = unique_of(words[4]);
  gearman_task_st *task =
      gearman_execute_by_partition(client, words[2], strlen(words[2]), words[3], strlen(words[3]), unique,
                                   unique ? strlen(unique) : 0, NULL, &argument, strdup(words[1]));
  if (!task || gearman_failed(gearman_task_return(task))) {
    comment(gearman_client_error(client));
    say("lost");
  } else {
    /* The library keeps the result in the task, and calls nobody. */
    char event[128];
    gearman_result_st *result = gearman_task_result(task);
    snprintf(event, sizeof event, "%s complete", words[1]);
    say_data(event, gearman_result_value(result), gearman_result_size(result));
    say("ran");
  }
  gearman_client_task_free_all(client);
}

static void poll_status(const char *verb, const char *handle) {
  bool known = false, running = false;
  uint32_t numerator = 0, denominator = 0;
  gearman_client_job_status(client, handle, &known, &running, &numerator, &denominator);
  if (!strcmp(verb, "poll"))
    say("polled %d %d", known, running);
  else
    say("progressed %u %u", numerator, denominator);
}

/* Does what a client can be told, in a program of its own or inside a job. */
static void command(struct line *line) {
  char **words = line->words;
  const char *verb = words[0];
  if (!strcmp(verb, "exceptions"))
    gearman_client_set_server_option(client, "exceptions", strlen("exceptions"));
  else if (!strcmp(verb, "timeout"))
    gearman_client_set_timeout(client, atoi(words[1]));
  else if (!strcmp(verb, "task"))
    add_task(words);
  else if (!strcmp(verb, "run"))
    run();
  else if (!strcmp(verb, "background"))
    background(words);
  else if (!strcmp(verb, "reduce"))
    reduce(words);
  else if (!strcmp(verb, "poll") || !strcmp(verb, "progress"))
    poll_status(verb, words[1]);
  else
    say("cannot %s", verb);
}

/* Does one job as the runner says. */
static gearman_return_t job(gearman_job_st *job, void *context) {
  (void)context;
  static struct line line;
  char words[600];
  snprintf(words, sizeof words, "job %s", gearman_job_function_name(job));
  say_data(words, gearman_job_workload(job), gearman_job_workload_size(job));
  for (;;) {
    hear(&line);
    const char *verb = line.words[0];
    struct bytes bytes = line.words[1][0] == '=' ? data(line.words[1]) : (struct bytes){NULL, 0};
    gearman_return_t ret = GEARMAN_IN_PROGRESS;
    if (!strcmp(verb, "complete")) {
      gearman_job_send_complete(job, bytes.start, bytes.length);
      ret = GEARMAN_SUCCESS;
    } else if (!strcmp(verb, "fail")) {
      ret = GEARMAN_FAIL;
    } else if (!strcmp(verb, "exception")) {
      gearman_job_send_exception(job, bytes.start, bytes.length);
      ret = GEARMAN_SUCCESS;
    } else if (!strcmp(verb, "data")) {
      gearman_job_send_data(job, bytes.start, bytes.length);
    } else if (!strcmp(verb, "warning")) {
      gearman_job_send_warning(job, bytes.start, bytes.length);
    } else if (!strcmp(verb, "status")) {
      gearman_job_send_status(job, (uint32_t)atoi(line.words[1]), (uint32_t)atoi(line.words[2]));
    } else if (!strcmp(verb, "unique")) {
      say("unique %s", gearman_job_unique(job));
    } else {
      command(&line);
    }
    free(bytes.start);
    if (ret != GEARMAN_IN_PROGRESS) return ret;
  }
}

/* Cuts the workload at its spaces; the library gives each part to the reducer. */
static gearman_return_t split(gearman_job_st *job, void *context) {
  (void)context;
  const char *start = gearman_job_workload(job);
  const char *end = start + gearman_job_workload_size(job);
  while (start < end) {
    const char *space = memchr(start, ' ', (size_t)(end - start));
    if (!space) space = end;
    gearman_job_send_data(job, start, (size_t)(space - start));
    start = space + 1;
  }
  return GEARMAN_SUCCESS;
}

/* Puts the reducer's results together, each in brackets. */
static gearman_return_t join(gearman_aggregator_st *aggregator, gearman_task_st *task, gearman_result_st *result) {
  (void)aggregator;
  struct bytes all = {calloc(1, 1), 0};
  for (; task; task = gearman_next(task)) {
    gearman_result_st *part = gearman_task_result(task);
    size_t size = gearman_result_size(part);
    all.start = realloc(all.start, all.length + size + 2);
    all.start[all.length] = '[';
    memcpy(all.start + all.length + 1, gearman_result_value(part), size);
    all.start[all.length + size + 1] = ']';
    all.length += size + 2;
  }
  gearman_result_store_value(result, all.start, all.length);
  free(all.start);
  return GEARMAN_SUCCESS;
}

/* Serves functions until the runner ends this program; work connects anew after the server was away. */
static void serve(struct line *line, bool partition) {
  gearman_worker_st *worker = gearman_worker_create(NULL);
  gearman_worker_add_server(worker, host, port);
  gearman_function_t function = partition ? gearman_function_create_partition(split, join) : gearman_function_create(job);
  for (int i = 1; i < line->count; i++) {
    char *name = line->words[i];
    char *limit = strchr(name, ':');
    if (limit) *limit++ = 0;
    gearman_worker_define_function(worker, name, strlen(name), function, limit ? (uint32_t)atoi(limit) : 0, NULL);
  }
  for (;;) {
    gearman_return_t ret = gearman_worker_work(worker);
    if (gearman_failed(ret) && ret != GEARMAN_WORK_FAIL && ret != GEARMAN_WORK_EXCEPTION) {
      comment(gearman_worker_error(worker));
      usleep(50000);
    }
  }
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: driver HOST PORT\n");
    return 2;
  }
  host = arguments[1];
  port = (in_port_t)atoi(arguments[2]);
  make_client();
  static struct line line;
  for (;;) {
    hear(&line);
    if (!strcmp(line.words[0], "serve"))
      serve(&line, false);
    else if (!strcmp(line.words[0], "partition"))
      serve(&line, true);
    else
      command(&line);
  }
}
