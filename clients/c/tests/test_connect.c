/* Connecting: which path, which errors, and never longer than the connect timeout. */
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "fake_server.h"
#include "socket.h"

static void expect_path(const char *wanted) {
  char *path = socket_path(NULL);
  CHECK_TEXT(path, wanted);
  free(path);
}

static void the_default_path_is_the_daemons(void) {
  unsetenv("TWIND_SOCKET");
  unsetenv("XDG_RUNTIME_DIR");
  expect_path("./twind.sock");
  setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  expect_path("/run/user/7/twind.sock");
  setenv("TWIND_SOCKET", "", 1);
  expect_path("/run/user/7/twind.sock");
  setenv("TWIND_SOCKET", "/run/other.sock", 1);
  expect_path("/run/other.sock");
  char *path = socket_path("./given");
  CHECK_TEXT(path, "./given");
  free(path);
}

static void null_connects_to_the_default(void) {
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  setenv("TWIND_SOCKET", fake_server_path(server), 1);
  twind_error error;
  twind_client *client = twind_connect(NULL, NULL, &error);
  CHECK(client);
  twind_free(get_twin(client, "acme/customer/1", &error));
  CHECK_EQUAL(error.code, TWIND_OK);
  twind_close(client);
  fake_server_stop(server);
  unsetenv("TWIND_SOCKET");
}

static void each_failure_says_what_to_do(void) {
  twind_error error;
  CHECK(!twind_connect("./no/such/twind.sock", NULL, &error));
  CHECK_ERROR(error, TWIND_UNAVAILABLE, "twind serve --socket ./no/such/twind.sock");
  char path[200];
  memset(path, 'p', sizeof path - 1);
  path[sizeof path - 1] = 0;
  CHECK(!twind_connect(path, NULL, &error));
  CHECK_ERROR(error, TWIND_INVALID_ARGUMENT, "has 199 bytes; it must have 1 to 107");
  CHECK(!twind_connect("", NULL, &error));
  CHECK_ERROR(error, TWIND_INVALID_ARGUMENT, "has 0 bytes");
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  fake_server_kill(server);
  CHECK(!twind_connect(fake_server_path(server), NULL, &error));
  CHECK_ERROR(error, TWIND_UNAVAILABLE, "refused");
  fake_server_revive(server);
  fake_server_stop(server);
}

/* A listener that accepts nobody, its backlog filled by connections of our own. */
static void a_full_backlog_does_not_hang(void) {
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
  twind_error error;
  twind_options options = {.connect_timeout_micros = 80000};
  int64_t before = micros_now();
  CHECK(!twind_connect(address.sun_path, &options, &error));
  int64_t took = micros_now() - before;
  CHECK_ERROR(error, TWIND_DEADLINE_EXCEEDED, "backlog is full");
  CHECK(took >= 80000 && took < 5000000);

  close(accept(listener, NULL, NULL)); /* makes room: now it connects */
  options.connect_timeout_micros = 5000000;
  twind_client *client = twind_connect(address.sun_path, &options, &error);
  CHECK(client);
  twind_close(client);
  for (int i = 0; i <= n; i++) close(filler[i]);
  close(listener);
  unlink(address.sun_path);
  rmdir(folder);
}

int main(void) {
  RUN(the_default_path_is_the_daemons);
  RUN(null_connects_to_the_default);
  RUN(each_failure_says_what_to_do);
  RUN(a_full_backlog_does_not_hang);
}
