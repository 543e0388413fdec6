/* The library against the real daemon: what is written is read, watched, and there after a restart. */
#include <pthread.h>
#include <twind/twind.h>
#include <unistd.h>

#include "check.h"
#include "daemon.h"

static Twind__V1__UpdateTwinResponse *update(twind_client *client, const char *name, const twind_change *changes,
                                             size_t n_changes, twind_error *error) {
  twind_write write = {.name = name, .changes = changes, .n_changes = n_changes};
  return twind_update(client, &write, NULL, error);
}

static Twind__V1__GetTwinResponse *get(twind_client *client, const char *name, twind_error *error) {
  Twind__V1__GetTwinRequest request = TWIND__V1__GET_TWIN_REQUEST__INIT;
  request.name = (char *)name;
  return twind_get_twin(client, &request, NULL, error);
}

static int64_t get_int(twind_client *client, const char *name, const char *attribute) {
  twind_error error;
  Twind__V1__GetTwinResponse *reply = get(client, name, &error);
  CHECK_ERROR(error, TWIND_OK, "");
  int64_t number;
  CHECK(twind_as_int(twind_find_value(reply->twin, attribute), &number));
  twind_free(reply);
  return number;
}

static void one_agent_reads_what_another_wrote(void) {
  twind_client *support = daemon_client("support"), *sales = daemon_client("sales");
  twind_change changes[] = {
      twind_set("email", twind_string_value("ada@example.com")), twind_set("vip", twind_bool_value(true)),
      twind_set("score", twind_double_value(0.5)),               twind_set("key", twind_bytes_value("\0\1", 2)),
      twind_set("seen", twind_timestamp_value(852076800000000)), twind_set("notes", twind_json_value("{\"a\": [1]}")),
      twind_increment("orders", twind_int_value(2)),
  };
  twind_error error;
  Twind__V1__UpdateTwinResponse *updated = update(support, "acme/customer/1", changes, 7, &error);
  CHECK_ERROR(error, TWIND_OK, "");
  CHECK_EQUAL(updated->fact_count, 7);
  CHECK_EQUAL(updated->revision, updated->sequence);
  Twind__V1__GetTwinResponse *reply = get(sales, "acme/customer/1", &error);
  CHECK_ERROR(error, TWIND_OK, "");
  CHECK_EQUAL(reply->twin->revision, updated->revision);
  CHECK_EQUAL(reply->twin->n_attributes, 7);
  for (size_t i = 0; i < 7; i++) {
    const Twind__V1__Attribute *found = twind_find(reply->twin, changes[i].attribute);
    CHECK(found);
    CHECK_TEXT(found->agent, "support");
    char wanted[64], got[64];
    twind_format(&changes[i].value, wanted, sizeof wanted);
    twind_format(found->value, got, sizeof got);
    CHECK_TEXT(got, wanted);
    CHECK_TEXT(twind_kind(found->value), twind_kind(&changes[i].value));
  }
  twind_free(reply);
  twind_free(updated);
  twind_close(support);
  twind_close(sales);
}

static void provenance_is_kept(void) {
  twind_client *client = daemon_client("support");
  twind_change changes[] = {twind_set("mood", twind_string_value("calm")), twind_set("plan", twind_int_value(1))};
  changes[0].confidence = 0.9;
  changes[0].evidence = "ticket:4711";
  changes[0].valid_from = 852076800000000;
  changes[0].valid_to = 4102444800000000;
  twind_write write = {.name = "acme/customer/provenance", .changes = changes, .n_changes = 2, .purpose = "support"};
  write.idempotency_key = "once";
  twind_error error;
  uint64_t revision = 0;
  for (int i = 0; i < 2; i++) { /* the second time it is the first result again */
    Twind__V1__UpdateTwinResponse *updated =
        twind_update(client, &write, &(twind_call_options){.agent = "sales"}, &error);
    CHECK_ERROR(error, TWIND_OK, "");
    CHECK_EQUAL(updated->fact_count, 2);
    CHECK(revision == 0 || updated->revision == revision);
    revision = updated->revision;
    twind_free(updated);
  }
  Twind__V1__GetTwinResponse *reply = get(client, write.name, &error);
  CHECK_ERROR(error, TWIND_OK, "");
  const Twind__V1__Attribute *mood = twind_find(reply->twin, "mood"), *plan = twind_find(reply->twin, "plan");
  CHECK(mood->confidence == 0.9 && plan->confidence == 0);
  CHECK_TEXT(mood->evidence, "ticket:4711");
  CHECK_TEXT(plan->evidence, "");
  CHECK_TEXT(mood->purpose, "support");
  CHECK_TEXT(mood->agent, "sales");
  CHECK_EQUAL(mood->valid_from_time, changes[0].valid_from);
  CHECK_EQUAL(mood->valid_to_time, changes[0].valid_to);
  CHECK_EQUAL(plan->valid_from_time, plan->recorded_at);
  twind_free(reply);
  twind_close(client);
}

static void refusals_have_codes_and_details(void) {
  twind_client *client = daemon_client("support");
  twind_error error;
  CHECK(!get(client, "acme/customer/nobody", &error));
  CHECK_ERROR(error, TWIND_NOT_FOUND, "acme/customer/nobody");
  CHECK(!get(client, "Not A Name", &error));
  CHECK_EQUAL(error.code, TWIND_INVALID_ARGUMENT);
  twind_change changes[] = {twind_set("tier", twind_string_value("gold"))};
  Twind__V1__UpdateTwinResponse *first = update(client, "acme/customer/conflict", changes, 1, &error);
  CHECK(first);
  twind_write write = {.name = "acme/customer/conflict", .changes = changes, .n_changes = 1};
  write.precondition = TWIND_IF_REVISION;
  write.expected_revision = first->revision + 1000;
  CHECK(!twind_update(client, &write, NULL, &error));
  CHECK_EQUAL(error.code, TWIND_ABORTED);
  Twind__V1__ConflictDetail *conflict = twind_error_detail(&error, &twind__v1__conflict_detail__descriptor);
  CHECK(conflict);
  CHECK_EQUAL(conflict->current_revision, first->revision);
  CHECK_TEXT(conflict->last_agent, "support");
  twind_free(conflict);
  write.precondition = TWIND_IF_ABSENT;
  write.expected_revision = 0;
  CHECK(!twind_update(client, &write, NULL, &error));
  CHECK_EQUAL(error.code, TWIND_ALREADY_EXISTS);
  twind_free(first);
  twind_close(client);
}

static void a_deleted_twin_is_gone(void) {
  twind_client *client = daemon_client("support");
  twind_change changes[] = {twind_set("tier", twind_string_value("gold"))};
  twind_error error;
  twind_free(update(client, "acme/customer/deleted", changes, 1, &error));
  CHECK_ERROR(error, TWIND_OK, "");
  Twind__V1__DeleteTwinRequest request = TWIND__V1__DELETE_TWIN_REQUEST__INIT;
  request.name = "acme/customer/deleted";
  Twind__V1__DeleteTwinResponse *deleted = twind_delete_twin(client, &request, NULL, &error);
  CHECK_ERROR(error, TWIND_OK, "");
  CHECK_EQUAL(deleted->revision, deleted->sequence);
  twind_free(deleted);
  CHECK(!get(client, "acme/customer/deleted", &error));
  CHECK_EQUAL(error.code, TWIND_NOT_FOUND);
  twind_close(client);
}

static void batches_lists_and_pipelines_agree(void) {
  twind_client *client = daemon_client("support");
  twind_error error;
  char names[200][40], *pointers[200];
  twind_call *calls[200];
  for (int i = 0; i < 200; i++) {
    snprintf(names[i], sizeof names[i], "batch/customer/%03d", i);
    pointers[i] = names[i];
    twind_change changes[] = {twind_set("number", twind_int_value(i))};
    twind_write write = {.name = names[i], .changes = changes, .n_changes = 1};
    Twind__V1__UpdateTwinRequest *request = twind_update_request(&write, &error);
    calls[i] = twind_start_update_twin(client, request, &(twind_call_options){.corked = i % 64 < 63}, &error);
    CHECK(calls[i]);
    twind_free(request);
  }
  uint64_t before = 0;
  for (int i = 0; i < 200; i++) {
    Twind__V1__UpdateTwinResponse *updated = twind_finish(calls[i], &error);
    CHECK_ERROR(error, TWIND_OK, "");
    CHECK(updated->sequence > before);
    before = updated->sequence;
    twind_free(updated);
  }
  Twind__V1__BatchGetTwinsRequest batch = TWIND__V1__BATCH_GET_TWINS_REQUEST__INIT;
  batch.names = pointers;
  batch.n_names = 200;
  Twind__V1__BatchGetTwinsResponse *got = twind_batch_get_twins(client, &batch, NULL, &error);
  CHECK_ERROR(error, TWIND_OK, "");
  CHECK_EQUAL(got->n_results, 200);
  for (int i = 0; i < 200; i++) CHECK_EQUAL(twind_find(got->results[i]->twin, "number")->value->int_value, i);
  twind_free(got);

  Twind__V1__ListTwinsRequest list = TWIND__V1__LIST_TWINS_REQUEST__INIT;
  list.prefix = "batch/";
  list.page_size = 60;
  char token[1024] = "";
  size_t seen = 0;
  do {
    list.page_token = token;
    Twind__V1__ListTwinsResponse *page = twind_list_twins(client, &list, NULL, &error);
    CHECK_ERROR(error, TWIND_OK, "");
    for (size_t i = 0; i < page->n_twins; i++) CHECK_TEXT(page->twins[i]->name, names[seen++]);
    snprintf(token, sizeof token, "%s", page->next_page_token);
    twind_free(page);
  } while (token[0]);
  CHECK_EQUAL(seen, 200);
  twind_close(client);
}

static void a_watch_sees_the_snapshot_and_then_each_commit(void) {
  twind_client *client = daemon_client("support");
  twind_error error;
  twind_change changes[] = {twind_increment("visits", twind_int_value(1))};
  twind_free(update(client, "watched/customer/1", changes, 1, &error));
  Twind__V1__WatchTwinsRequest request = TWIND__V1__WATCH_TWINS_REQUEST__INIT;
  request.prefix = "watched/";
  twind_watch *watch = twind_watch_twins(client, &request, NULL, &error);
  CHECK(watch);
  size_t snapshot = 0;
  bool complete = false;
  while (!complete) {
    Twind__V1__WatchTwinsResponse *message = twind_watch_wait(watch, 10000000, &error);
    CHECK(message);
    snapshot += message->n_snapshot;
    complete = message->snapshot_complete;
    twind_free(message);
  }
  CHECK_EQUAL(snapshot, 1);
  for (int64_t visits = 2; visits < 12; visits++) {
    Twind__V1__UpdateTwinResponse *updated = update(client, "watched/customer/1", changes, 1, &error);
    CHECK_ERROR(error, TWIND_OK, "");
    Twind__V1__WatchTwinsResponse *message;
    do message = twind_watch_wait(watch, 10000000, &error);
    while (message && message->n_changes == 0);
    CHECK(message && message->n_changes == 1);
    CHECK_EQUAL(message->changes[0]->revision, updated->revision);
    CHECK_EQUAL(message->changes[0]->attributes[0]->value->int_value, visits);
    twind_free(message);
    twind_free(updated);
  }
  twind_watch_close(watch);
  twind_close(client);
}

/* Sets the plan from then on; 0 = from now on. Returns when it was recorded. */
static int64_t set_plan(twind_client *client, const char *name, const char *plan, int64_t valid_from) {
  twind_error error;
  twind_change changes[] = {twind_set("plan", twind_string_value(plan))};
  changes[0].valid_from = valid_from;
  twind_write write = {.name = name, .changes = changes, .n_changes = 1};
  write.durability = TWIND__V1__DURABILITY__DURABILITY_SYNCED;
  Twind__V1__UpdateTwinResponse *updated = twind_update(client, &write, NULL, &error);
  CHECK_ERROR(error, TWIND_OK, "");
  CHECK_EQUAL(updated->durability, TWIND__V1__DURABILITY__DURABILITY_SYNCED);
  twind_free(updated);
  Twind__V1__ListFactsRequest list = TWIND__V1__LIST_FACTS_REQUEST__INIT;
  list.name = (char *)name;
  twind_watch *facts = twind_list_facts(client, &list, NULL, &error);
  CHECK(facts);
  int64_t recorded_at = 0;
  Twind__V1__ListFactsResponse *part;
  while ((part = twind_watch_wait(facts, 10000000, &error))) {
    if (part->n_facts > 0) recorded_at = part->facts[part->n_facts - 1]->attribute->recorded_at;
    twind_free(part);
  }
  CHECK_ERROR(error, TWIND_OK, "");
  twind_watch_close(facts);
  return recorded_at;
}

/* A twin that is known but had nothing then is empty; one that nobody knew of is NOT_FOUND. */
static void check_plan(twind_client *client, const char *name, int64_t valid_at, int64_t known_at, const char *wanted) {
  twind_error error;
  Twind__V1__GetTwinRequest request = TWIND__V1__GET_TWIN_REQUEST__INIT;
  request.name = (char *)name;
  request.valid_at = valid_at;
  request.known_at = known_at;
  Twind__V1__GetTwinResponse *reply = twind_get_twin(client, &request, NULL, &error);
  if (!reply) {
    CHECK(!wanted);
    CHECK_EQUAL(error.code, TWIND_NOT_FOUND);
    return;
  }
  CHECK_ERROR(error, TWIND_OK, "");
  const Twind__V1__Attribute *plan = twind_find(reply->twin, "plan");
  CHECK(!plan == !wanted);
  if (plan) CHECK_TEXT(plan->value->string_value, wanted);
  twind_free(reply);
}

static void a_twin_is_read_as_it_was(void) {
  twind_client *client = daemon_client("support");
  const char *name = "acme/customer/history";
  int64_t first = set_plan(client, name, "pro", 0);
  int64_t second = set_plan(client, name, "basic", first - 1000);
  CHECK(second > first);
  check_plan(client, name, 0, 0, "pro");
  check_plan(client, name, first - 1000, 0, "basic");
  check_plan(client, name, first - 1001, 0, NULL);
  check_plan(client, name, first, first, "pro");
  check_plan(client, name, 0, first - 1, NULL);
  twind_error error;
  Twind__V1__GetTwinRequest request = TWIND__V1__GET_TWIN_REQUEST__INIT;
  request.name = (char *)name;
  request.known_at = second + 3600 * 1000000LL;
  CHECK(!twind_get_twin(client, &request, NULL, &error));
  CHECK_ERROR(error, TWIND_INVALID_ARGUMENT, "known_at");
  twind_close(client);
}

static void facts_come_in_order_and_in_parts(void) {
  twind_client *client = daemon_client("support");
  twind_error error;
  static char text[60001];
  memset(text, 'x', sizeof text - 1);
  for (int i = 0; i < 20; i++) {
    text[0] = (char)('a' + i);
    twind_change changes[] = {twind_increment("count", twind_int_value(i + 1)),
                                    twind_set("text", twind_string_value(text))};
    twind_free(update(client, "acme/customer/facts", changes, 2, &error));
    CHECK_ERROR(error, TWIND_OK, "");
  }
  Twind__V1__ListFactsRequest request = TWIND__V1__LIST_FACTS_REQUEST__INIT;
  request.name = "acme/customer/facts";
  twind_watch *facts = twind_list_facts(client, &request, NULL, &error);
  CHECK(facts);
  int parts = 0, seen = 0;
  uint64_t sequence = 0;
  Twind__V1__ListFactsResponse *part;
  while ((part = twind_watch_wait(facts, 10000000, &error))) {
    CHECK_EQUAL(sequence, 0); /* only the last part has one */
    for (size_t i = 0; i < part->n_facts; i++, seen++) {
      const Twind__V1__Attribute *fact = part->facts[i]->attribute;
      CHECK_EQUAL(part->facts[i]->ordinal, seen % 2);
      CHECK_TEXT(fact->name, seen % 2 ? "text" : "count");
      if (seen % 2)
        CHECK_EQUAL(fact->value->string_value[0], 'a' + seen / 2);
      else
        CHECK_EQUAL(fact->increment->int_value, seen / 2 + 1);
    }
    sequence = part->sequence;
    parts++;
    twind_free(part);
  }
  CHECK_ERROR(error, TWIND_OK, "");
  CHECK_EQUAL(seen, 40);
  CHECK(parts >= 4 && sequence > 0 && !twind_watch_open(facts));
  twind_watch_close(facts);

  /* One that is given up half-way costs nobody anything. */
  facts = twind_list_facts(client, &request, NULL, &error);
  twind_free(twind_watch_wait(facts, 10000000, &error));
  twind_watch_close(facts);
  request.name = "acme/customer/nobody";
  facts = twind_list_facts(client, &request, NULL, &error);
  CHECK(facts && !twind_watch_wait(facts, 10000000, &error));
  CHECK_ERROR(error, TWIND_NOT_FOUND, "acme/customer/nobody");
  twind_watch_close(facts);
  twind_close(client);
}

static void *increment(void *client) {
  twind_change changes[] = {twind_increment("count", twind_int_value(1))};
  for (int i = 0; i < 200; i++) {
    twind_error error;
    twind_free(update(client, "acme/customer/shared", changes, 1, &error));
    CHECK_ERROR(error, TWIND_OK, "");
  }
  return NULL;
}

static void threads_on_one_client_lose_no_increment(void) {
  twind_client *client = daemon_client("support");
  pthread_t threads[8];
  for (int i = 0; i < 8; i++) CHECK(pthread_create(&threads[i], NULL, increment, client) == 0);
  for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
  CHECK_EQUAL(get_int(client, "acme/customer/shared", "count"), 1600);
  twind_close(client);
}

static void health_and_server_info_answer(void) {
  twind_client *client = daemon_client(NULL);
  twind_error error;
  Grpc__Health__V1__HealthCheckRequest check = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
  Grpc__Health__V1__HealthCheckResponse *health = twind_health_check(client, &check, NULL, &error);
  CHECK_ERROR(error, TWIND_OK, "");
  CHECK_EQUAL(health->status, GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING);
  twind_free(health);
  Twind__V1__GetServerInfoRequest request = TWIND__V1__GET_SERVER_INFO_REQUEST__INIT;
  Twind__V1__GetServerInfoResponse *info = twind_get_server_info(client, &request, NULL, &error);
  CHECK_ERROR(error, TWIND_OK, "");
  CHECK(info->dev && info->version[0] && info->pid > 0);
  twind_free(info);
  twind_close(client);
}

static void a_backup_says_how_far_it_is(void) {
  twind_client *client = daemon_client("support");
  char folder[] = P_tmpdir "/twind-c-XXXXXX", path[48];
  CHECK(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/backup.db", folder);
  Twind__V1__BackupRequest request = TWIND__V1__BACKUP_REQUEST__INIT;
  request.path = path;
  twind_error error;
  twind_watch *backup = twind_backup(client, &request, NULL, &error);
  CHECK_ERROR(error, TWIND_OK, "");
  uint64_t sequence = 0;
  Twind__V1__BackupResponse *part;
  while ((part = twind_watch_wait(backup, 20000000, &error))) {
    CHECK(sequence == 0 && part->pages_done <= part->pages_total);
    sequence = part->sequence;
    CHECK((part->byte_count > 0) == (sequence > 0));
    twind_free(part);
  }
  CHECK_ERROR(error, TWIND_OK, "");
  CHECK(!twind_watch_open(backup) && sequence > 0);
  twind_watch_close(backup);
  CHECK(unlink(path) == 0 && rmdir(folder) == 0);
  twind_close(client);
}

/* The same client goes on after the restart. */
static void a_restart_keeps_the_twins_and_the_client(void) {
  twind_client *client = daemon_client("support");
  CHECK_EQUAL(get_int(client, "acme/customer/shared", "count"), 1600);
  daemon_stop();
  twind_error error;
  CHECK(!get(client, "acme/customer/shared", &error));
  CHECK_EQUAL(error.code, TWIND_UNAVAILABLE);
  daemon_start();
  CHECK_EQUAL(get_int(client, "acme/customer/shared", "count"), 1600);
  twind_close(client);
}

int main(void) {
  daemon_start();
  RUN(one_agent_reads_what_another_wrote);
  RUN(provenance_is_kept);
  RUN(refusals_have_codes_and_details);
  RUN(a_deleted_twin_is_gone);
  RUN(batches_lists_and_pipelines_agree);
  RUN(a_watch_sees_the_snapshot_and_then_each_commit);
  RUN(a_twin_is_read_as_it_was);
  RUN(facts_come_in_order_and_in_parts);
  RUN(threads_on_one_client_lose_no_increment);
  RUN(health_and_server_info_answer);
  RUN(a_backup_says_how_far_it_is);
  RUN(a_restart_keeps_the_twins_and_the_client);
  daemon_stop();
}
