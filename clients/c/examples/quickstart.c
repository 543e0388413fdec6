/* Change, read and watch one customer's twin. This file is both C and C++:
 *     cc quickstart.c -o quickstart $(pkg-config --cflags --libs twind)
 *     c++ -x c++ quickstart.c -o quickstart $(pkg-config --cflags --libs twind) */
#include <stdio.h>
#include <stdlib.h>
#include <twind/twind.h>

static void check(const void *result, const twind_error *error) {
  if (result) return;
  fprintf(stderr, "%s: %s\n", twind_code_name(error->code), error->message);
  exit(1);
}

static void print_twin(const Twind__V1__Twin *twin) {
  char text[80];
  printf("%s at revision %llu\n", twin->name, (unsigned long long)twin->revision);
  for (size_t i = 0; i < twin->n_attributes; i++) {
    twind_format(twin->attributes[i]->value, text, sizeof text);
    printf("  %s = %s\n", twin->attributes[i]->name, text);
  }
}

int main(void) {
  twind_error error;
  twind_options options = TWIND_OPTIONS_INIT;
  options.agent = "quickstart";
  twind_client *client = twind_connect(NULL, &options, &error);
  check(client, &error);

  char name[] = "acme/customer/42";
  twind_change changes[] = {twind_set("email", twind_string_value("ada@example.com")),
                            twind_increment("orders", twind_int_value(1))};
  changes[0].confidence = 0.9;
  changes[0].evidence = "ticket:4711";
  twind_write write = TWIND_WRITE_INIT;
  write.name = name, write.changes = changes, write.n_changes = 2;
  Twind__V1__UpdateTwinResponse *updated = twind_update(client, &write, NULL, &error);
  check(updated, &error);

  Twind__V1__GetTwinRequest get = TWIND__V1__GET_TWIN_REQUEST__INIT;
  get.name = name;
  Twind__V1__GetTwinResponse *got = twind_get_twin(client, &get, NULL, &error);
  check(got, &error);
  print_twin(got->twin);
  int64_t orders = 0;
  if (twind_as_int(twind_find_value(got->twin, "orders"), &orders) && orders > 1) puts("a regular customer");

  char *names[] = {name};
  Twind__V1__WatchTwinsRequest request = TWIND__V1__WATCH_TWINS_REQUEST__INIT;
  request.names = names, request.n_names = 1;
  twind_watch *watch = twind_watch_twins(client, &request, NULL, &error);
  check(watch, &error);
  Twind__V1__WatchTwinsResponse *message =
      (Twind__V1__WatchTwinsResponse *)twind_watch_wait(watch, TWIND_NO_TIMEOUT, &error);
  check(message, &error);
  printf("watched %zu twin(s), up to sequence %llu\n", message->n_snapshot, (unsigned long long)message->sequence);

  twind_free(message), twind_free(got), twind_free(updated);
  twind_watch_close(watch);
  twind_close(client);
  return 0;
}
