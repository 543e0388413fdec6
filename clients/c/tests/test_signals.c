/* A signal interrupts every system call that waits; timeouts still end when they should. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "fake_server.h"

static void ignore(int number) { (void)number; }

/* Twice a millisecond, without SA_RESTART. */
static void interrupt(bool on) {
  sigaction(SIGALRM, &(struct sigaction){.sa_handler = ignore}, NULL);
  long micros = on ? 500 : 0;
  CHECK(setitimer(ITIMER_REAL, &(struct itimerval){{0, micros}, {0, micros}}, NULL) == 0);
}

/* Reads and answers nothing. */
static void serve_silence(int fd, void *context) {
  (void)context;
  struct received frame;
  while (receive(fd, &frame)) received_free(&frame);
}

/* Its threads inherit the mask: the signals are for the main thread, which waits. */
static struct fake_server *silent_server(void) {
  sigset_t alarms;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &alarms, NULL);
  struct fake_server *server = fake_server_start(serve_silence, NULL);
  pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
  return server;
}

static void check_took(int64_t since, int64_t wanted) {
  int64_t took = micros_now() - since;
  CHECK(took >= wanted && took < wanted + 5000000);
}

static void calls_and_watches_end_in_time(void) {
  struct fake_server *server = silent_server();
  twind_client *client = fake_server_client(server);
  Twind__V1__WatchTwinsRequest all = TWIND__V1__WATCH_TWINS_REQUEST__INIT;
  twind_error error;
  twind_watch *watch = twind_watch_twins(client, &all, NULL, &error);
  CHECK(watch);
  interrupt(true);
  Twind__V1__GetTwinRequest request = get_request("acme/customer/1");
  int64_t before = micros_now();
  CHECK(!twind_get_twin(client, &request, &(twind_call_options){.timeout_micros = 200000}, &error));
  CHECK_EQUAL(error.code, TWIND_DEADLINE_EXCEEDED);
  check_took(before, 200000);
  before = micros_now();
  CHECK(!twind_watch_wait(watch, 200000, &error));
  CHECK_EQUAL(error.code, TWIND_OK);
  check_took(before, 200000);
  interrupt(false);
  twind_watch_close(watch);
  twind_close(client);
  fake_server_stop(server);
}

static void connecting_to_a_full_backlog_ends_in_time(void) {
  char folder[] = P_tmpdir "/twind-c-XXXXXX";
  CHECK(mkdtemp(folder));
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0), filler[8], n = 0;
  CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 1) == 0);
  for (; n < 8; n++) {
    filler[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(filler[n], (struct sockaddr *)&address, sizeof address) != 0) break;
  }
  CHECK(n < 8);
  interrupt(true);
  twind_error error;
  int64_t before = micros_now();
  CHECK(!twind_connect(address.sun_path, &(twind_options){.connect_timeout_micros = 200000}, &error));
  CHECK_EQUAL(error.code, TWIND_DEADLINE_EXCEEDED);
  check_took(before, 200000);
  interrupt(false);
  for (int i = 0; i <= n; i++) close(filler[i]);
  close(listener);
  unlink(address.sun_path);
  rmdir(folder);
}

int main(void) {
  RUN(calls_and_watches_end_in_time);
  RUN(connecting_to_a_full_backlog_ends_in_time);
}
