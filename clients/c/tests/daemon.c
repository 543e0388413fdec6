/* The real daemon. */
#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char folder[] = P_tmpdir "/twind-c-XXXXXX";
static char socket_path[64], data_dir[64];
static pid_t daemon_pid;

/* Also after a failed check: no process and no files stay behind. */
static void clean_up(void) {
  if (daemon_pid > 0) {
    kill(daemon_pid, SIGKILL);
    waitpid(daemon_pid, NULL, 0);
  }
  char command[96];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  if (system(command) != 0) fprintf(stderr, "%s stays behind\n", folder);
}

static const char *daemon_program(void) {
  const char *named = getenv("TWIND");
  const char *program = named && *named ? named : TWIND_DEFAULT;
  if (access(program, X_OK) == 0) return program;
  fprintf(stderr, "there is no daemon at %s (%s): build it with `swift build -c release`, or name it in TWIND\n",
          program, strerror(errno));
  exit(1);
}

static void make_folder(void) {
  if (socket_path[0]) return;
  CHECK(mkdtemp(folder));
  snprintf(socket_path, sizeof socket_path, "%s/s", folder);
  snprintf(data_dir, sizeof data_dir, "%s/data", folder);
  atexit(clean_up);
}

static void wait_until_it_serves(void) {
  twind_error error;
  for (int i = 0; i < 150; i++) {
    twind_client *client = twind_connect(socket_path, NULL, &error);
    if (client) return twind_close(client);
    int status;
    if (waitpid(daemon_pid, &status, WNOHANG) == daemon_pid) {
      daemon_pid = 0;
      fprintf(stderr, "the daemon ended at once, with wait status %d\n", status);
      exit(1);
    }
    usleep(100000);
  }
  fprintf(stderr, "the daemon does not serve within 15 s: %s\n", error.message);
  exit(1);
}

void daemon_start(void) {
  const char *program = daemon_program();
  make_folder();
  daemon_pid = fork();
  CHECK(daemon_pid >= 0);
  if (daemon_pid == 0) {
    execl(program, program, "serve", "--socket", socket_path, "--data-dir", data_dir, "--dev", (char *)NULL);
    _exit(127);
  }
  wait_until_it_serves();
}

void daemon_stop(void) {
  int status;
  CHECK(kill(daemon_pid, SIGTERM) == 0);
  CHECK(waitpid(daemon_pid, &status, 0) == daemon_pid);
  daemon_pid = 0;
  CHECK(WIFEXITED(status));
  CHECK_EQUAL(WEXITSTATUS(status), 0);
}

twind_client *daemon_client(const char *agent) {
  twind_error error;
  twind_client *client = twind_connect(socket_path, &(twind_options){.agent = agent}, &error);
  CHECK(client);
  return client;
}
