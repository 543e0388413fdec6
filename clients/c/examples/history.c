/* A customer's history: correct it, read an earlier state, and list what was recorded. Build it with
 *     cc history.c -o history $(pkg-config --cflags --libs twind) */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <twind/twind.h>

static const int64_t day_micros = 86400LL * 1000000;
static char *const name = "acme/customer/43";

static void check(const void *result, const twind_error *error) {
  if (result) return;
  fprintf(stderr, "%s: %s\n", twind_code_name(error->code), error->message);
  exit(1);
}

/* Sets the plan as of a time; 0 = now. */
static void set_plan(twind_client *client, const char *plan, int64_t valid_from) {
  twind_error error;
  twind_change change = twind_set("plan", twind_string_value(plan));
  change.valid_from = valid_from;
  twind_write write = {.name = name, .changes = &change, .n_changes = 1};
  Twind__V1__UpdateTwinResponse *updated = twind_update(client, &write, NULL, &error);
  check(updated, &error);
  twind_free(updated);
}

/* Prints the plan at a time, as far as we know now. */
static void print_plan(twind_client *client, const char *when, int64_t valid_at) {
  twind_error error;
  char text[80];
  Twind__V1__GetTwinRequest get = TWIND__V1__GET_TWIN_REQUEST__INIT;
  get.name = name, get.valid_at = valid_at;
  Twind__V1__GetTwinResponse *got = twind_get_twin(client, &get, NULL, &error);
  check(got, &error);
  twind_format(twind_find_value(got->twin, "plan"), text, sizeof text);
  printf("%s: %s\n", when, text);
  twind_free(got);
}

/* Prints everything that was recorded, oldest first. The facts come in parts. */
static void print_facts(twind_client *client) {
  twind_error error;
  char text[80];
  Twind__V1__ListFactsRequest list = TWIND__V1__LIST_FACTS_REQUEST__INIT;
  list.name = name;
  twind_watch *facts = twind_list_facts(client, &list, NULL, &error);
  check(facts, &error);
  Twind__V1__ListFactsResponse *part;
  while ((part = twind_watch_wait(facts, TWIND_NO_TIMEOUT, &error))) {
    for (size_t i = 0; i < part->n_facts; i++) {
      const Twind__V1__Attribute *fact = part->facts[i]->attribute;
      twind_format(fact->value, text, sizeof text);
      printf("%llu: %s %s = %s%s\n", (unsigned long long)fact->sequence, fact->agent, fact->name,
             part->facts[i]->removed ? "(removed)" : text,
             fact->valid_from_time < fact->recorded_at ? ", about the past" : "");
    }
    twind_free(part);
  }
  check(error.code == TWIND_OK ? facts : NULL, &error);
  twind_watch_close(facts);
}

int main(void) {
  twind_error error;
  twind_client *client = twind_connect(NULL, &(twind_options){.agent = "history"}, &error);
  check(client, &error);
  int64_t now = (int64_t)time(NULL) * 1000000;
  set_plan(client, "pro", 0);
  set_plan(client, "basic", now - 30 * day_micros); /* about the past: today the plan is still pro */
  print_plan(client, "now", 0);
  print_plan(client, "yesterday", now - day_micros);
  print_facts(client);
  twind_close(client);
}
