/* One customer: change, read, watch. Build it with
 *     cc quickstart.c -o quickstart $(pkg-config --cflags --libs twind) */
#include <stdio.h>
#include <stdlib.h>
#include <twind/twind.h>

static void print_twin(const Twind__V1__Twin *twin) {
  char text[80];
  printf("%s at revision %llu\n", twin->name, (unsigned long long)twin->revision);
  for (size_t i = 0; i < twin->n_attributes; i++) {
    twind_format(twin->attributes[i]->value, text, sizeof text);
    printf("  %s = %s\n", twin->attributes[i]->name, text);
  }
}

static void check(const void *result, const twind_error *error) {
  if (result) return;
  fprintf(stderr, "%s: %s\n", twind_code_name(error->code), error->message);
  exit(1);
}

int main(void) {
  twind_error error;
  twind_client *client = twind_connect(NULL, &(twind_options){.agent = "quickstart"}, &error);
  check(client, &error);

  Twind__V1__Change *changes[] = {TWIND_SET("email", twind_string_value("ada@example.com")),
                                  TWIND_INCREMENT("orders", twind_int_value(1))};
  Twind__V1__UpdateTwinRequest update = TWIND__V1__UPDATE_TWIN_REQUEST__INIT;
  update.name = "acme/customer/42", update.n_changes = 2, update.changes = changes;
  Twind__V1__UpdateTwinResponse *updated = twind_update_twin(client, &update, NULL, &error);
  check(updated, &error);

  Twind__V1__GetTwinRequest get = TWIND__V1__GET_TWIN_REQUEST__INIT;
  get.name = update.name;
  Twind__V1__GetTwinResponse *got = twind_get_twin(client, &get, NULL, &error);
  check(got, &error);
  print_twin(got->twin);

  Twind__V1__WatchTwinsRequest request = TWIND__V1__WATCH_TWINS_REQUEST__INIT;
  request.names = &update.name, request.n_names = 1;
  twind_watch *watch = twind_watch_twins(client, &request, NULL, &error);
  check(watch, &error);
  Twind__V1__WatchTwinsResponse *message = twind_watch_wait(watch, TWIND_NO_TIMEOUT, &error);
  check(message, &error);
  printf("watched %zu twin(s), up to sequence %llu\n", message->n_snapshot, (unsigned long long)message->sequence);

  twind_free(message), twind_free(got), twind_free(updated);
  twind_watch_close(watch);
  twind_close(client);
}
