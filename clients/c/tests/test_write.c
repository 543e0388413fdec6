/* Writes: what becomes of them on the wire, and what is refused before it gets there. */
#include <math.h>
#include <twind/twind.h>

#include "arena.h"
#include "check.h"
#include "fake_server.h"

/* The request as a server unpacks it. */
static Twind__V1__UpdateTwinRequest *sent(const twind_write *write) {
  twind_error error;
  Twind__V1__UpdateTwinRequest *request = twind_update_request(write, &error);
  CHECK_ERROR(error, TWIND_OK, "");
  uint8_t bytes[512];
  CHECK(twind__v1__update_twin_request__get_packed_size(request) <= sizeof bytes);
  size_t length = twind__v1__update_twin_request__pack(request, bytes);
  twind_free(request);
  Twind__V1__UpdateTwinRequest *back =
      arena_unpack(&twind__v1__update_twin_request__descriptor, bytes, length, UNPACK_FACTOR_DEFAULT);
  CHECK(back);
  return back;
}

static void changes_say_what_they_do(void) {
  twind_change changes[] = {
      twind_set("email", twind_string_value("ada@example.com")),
      twind_increment("orders", twind_int_value(2)),
      twind_remove("nickname"),
  };
  changes[0].confidence = 0.5;
  changes[0].evidence = "ticket:4711";
  changes[1].valid_from = 12;
  changes[1].valid_to = 34;
  twind_write write = TWIND_WRITE_INIT;
  write.name = "acme/customer/1";
  write.changes = changes;
  write.n_changes = 3;
  Twind__V1__UpdateTwinRequest *request = sent(&write);
  CHECK_TEXT(request->name, "acme/customer/1");
  CHECK_EQUAL(request->n_changes, 3);
  Twind__V1__Change **got = request->changes;
  CHECK_TEXT(got[0]->attribute, "email");
  CHECK_EQUAL(got[0]->op_case, TWIND__V1__CHANGE__OP_SET);
  CHECK_TEXT(got[0]->set->string_value, "ada@example.com");
  CHECK(got[0]->confidence == 0.5);
  CHECK_TEXT(got[0]->evidence, "ticket:4711");
  CHECK_EQUAL(got[0]->valid_from_time, 0);
  CHECK_EQUAL(got[1]->op_case, TWIND__V1__CHANGE__OP_INCREMENT);
  CHECK_EQUAL(got[1]->increment->int_value, 2);
  CHECK(got[1]->confidence == 0);
  CHECK_TEXT(got[1]->evidence, "");
  CHECK_EQUAL(got[1]->valid_from_time, 12);
  CHECK_EQUAL(got[1]->valid_to_time, 34);
  CHECK_EQUAL(got[2]->op_case, TWIND__V1__CHANGE__OP_REMOVE);
  CHECK(got[2]->remove);
  twind_free(request);
}

static void options_are_sent_as_stated(void) {
  twind_write write = {.name = "acme/customer/1"};
  Twind__V1__UpdateTwinRequest *request = sent(&write);
  CHECK_EQUAL(request->precondition_case, TWIND__V1__UPDATE_TWIN_REQUEST__PRECONDITION__NOT_SET);
  CHECK_TEXT(request->idempotency_key, "");
  CHECK_TEXT(request->purpose, "");
  twind_free(request);
  write.precondition = TWIND_IF_REVISION; /* 0: it must never have existed */
  write.idempotency_key = "key";
  write.purpose = "support";
  write.durability = TWIND__V1__DURABILITY__DURABILITY_SYNCED;
  request = sent(&write);
  CHECK_EQUAL(request->precondition_case, TWIND__V1__UPDATE_TWIN_REQUEST__PRECONDITION_EXPECTED_REVISION);
  CHECK_EQUAL(request->expected_revision, 0);
  CHECK_TEXT(request->idempotency_key, "key");
  CHECK_TEXT(request->purpose, "support");
  CHECK_EQUAL(request->durability, TWIND__V1__DURABILITY__DURABILITY_SYNCED);
  twind_free(request);
  write.expected_revision = 7;
  request = sent(&write);
  CHECK_EQUAL(request->expected_revision, 7);
  twind_free(request);
  write.expected_revision = 0;
  write.precondition = TWIND_IF_ABSENT;
  request = sent(&write);
  CHECK_EQUAL(request->precondition_case, TWIND__V1__UPDATE_TWIN_REQUEST__PRECONDITION_MUST_NOT_EXIST);
  CHECK(request->must_not_exist);
  twind_free(request);
}

/* A value that came from a newer daemon goes back as it came. */
static void an_unknown_kind_is_written_again(void) {
  static const uint8_t bytes[] = {0x4a, 3, 'n', 'e', 'w'};
  Twind__V1__Value *value = arena_unpack(&twind__v1__value__descriptor, bytes, sizeof bytes, UNPACK_FACTOR_DEFAULT);
  CHECK(value);
  twind_change change = twind_set("novelty", *value);
  twind_write write = {.name = "acme/customer/1", .changes = &change, .n_changes = 1};
  Twind__V1__UpdateTwinRequest *request = sent(&write);
  uint8_t packed[16];
  CHECK_EQUAL(twind__v1__value__pack(request->changes[0]->set, packed), sizeof bytes);
  CHECK(memcmp(packed, bytes, sizeof bytes) == 0);
  twind_free(request);
  twind_free(value);
}

static void expect_refusal(const twind_write *write, const char *part) {
  twind_error error;
  CHECK(!twind_update_request(write, &error));
  CHECK_ERROR(error, TWIND_INVALID_ARGUMENT, part);
}

static void refuse_change(twind_change change, const char *part) {
  twind_change changes[] = {twind_set("good", twind_int_value(1)), change};
  expect_refusal(&(twind_write){.name = "acme/customer/1", .changes = changes, .n_changes = 2}, part);
}

static void what_would_be_lost_is_refused(void) {
  twind_change good = twind_set("mood", twind_string_value("calm")), change;
  for (int i = 0; i < 4; i++) {
    change = good;
    change.confidence = (double[]){0, -0.5, 1.1, NAN}[i];
    refuse_change(change, "of \"mood\" must be above 0 and at most 1: use TWIND_NOT_STATED");
  }
  change = good, change.evidence = "";
  refuse_change(change, "the evidence of \"mood\" is empty: leave it NULL");
  change = good, change.valid_from = 1767225600;
  refuse_change(change, "valid_from of \"mood\" is 1767225600, which looks like seconds since the epoch");
  change = good, change.valid_to = 1767225600000;
  refuse_change(change, "valid_to of \"mood\" is 1767225600000, which looks like milliseconds");
  change.valid_to = 1767225600000000000;
  refuse_change(change, "looks like nanoseconds");
  change = good, change.attribute = NULL;
  refuse_change(change, "changes[1] has no attribute name");
  change = good, change.operation = 0;
  refuse_change(change, "the change of \"mood\" has the operation 0: make it with twind_set");
  refuse_change((twind_change){.attribute = "mood", .operation = 9}, "has the operation 9");
  refuse_change(twind_set("mood", twind_string_value(NULL)), "the value of \"mood\" is NULL or has no kind");
  refuse_change(twind_set("mood", twind_json_value(NULL)), "the value of \"mood\" is NULL or has no kind");
  refuse_change(twind_set("mood", twind_bytes_value(NULL, 3)), "the value of \"mood\" is NULL or has no kind");
  refuse_change(twind_set("mood", (Twind__V1__Value)TWIND__V1__VALUE__INIT), "is NULL or has no kind");

  twind_write write = {.changes = &good, .n_changes = 1};
  expect_refusal(&write, "the write has no twin name");
  write.name = "acme/customer/1";
  write.idempotency_key = "";
  expect_refusal(&write, "idempotency_key is empty: leave it NULL");
  write.idempotency_key = NULL, write.purpose = "";
  expect_refusal(&write, "purpose is empty: leave it NULL");
  write.purpose = NULL, write.expected_revision = 7;
  expect_refusal(&write, "expected_revision is 7 but would not be checked: set precondition to TWIND_IF_REVISION");
  write.precondition = TWIND_IF_ABSENT;
  expect_refusal(&write, "would not be checked");
  write.expected_revision = 0, write.precondition = 3;
  expect_refusal(&write, "precondition is 3: use");
  write.precondition = TWIND_ALWAYS, write.durability = 9;
  expect_refusal(&write, "durability is 9: use");
  write.durability = 0, write.changes = NULL;
  expect_refusal(&write, "changes is NULL, but n_changes is 1");
}

/* Keeps the agent of the last request. */
static void serve_agents(int fd, void *agent) {
  struct received frame;
  while (receive(fd, &frame)) {
    if (frame.type == FRAME_REQUEST) {
      CHECK_EQUAL(frame.request->n_metadata, 1);
      CHECK_TEXT(frame.request->metadata[0]->key, "twind-agent");
      snprintf(agent, 20, "%s", frame.request->metadata[0]->value);
      send_twin(fd, &frame);
    }
    received_free(&frame);
  }
}

static void a_call_may_name_its_agent(void) {
  char agent[20];
  struct fake_server *server = fake_server_start(serve_agents, agent);
  twind_error error;
  twind_client *client = twind_connect(fake_server_path(server), &(twind_options){.agent = "support"}, &error);
  CHECK(client);
  Twind__V1__GetTwinRequest request = get_request("acme/customer/1");
  twind_free(twind_get_twin(client, &request, NULL, &error));
  CHECK_TEXT(agent, "support");
  twind_free(twind_get_twin(client, &request, &(twind_call_options){.agent = "sales"}, &error));
  CHECK_TEXT(agent, "sales");

  CHECK(!twind_get_twin(client, &request, &(twind_call_options){.agent = ""}, &error));
  CHECK_ERROR(error, TWIND_INVALID_ARGUMENT, "the call's agent is empty: leave it NULL");
  const twind_metadata incomplete[] = {{"key", "value"}, {"key", NULL}, {"", "value"}, {NULL, "value"}};
  for (size_t n = 2; n <= 4; n++) {
    twind_call_options options = {.metadata = &incomplete[n - 1], .n_metadata = 1};
    CHECK(!twind_get_twin(client, &request, &options, &error));
    CHECK_ERROR(error, TWIND_INVALID_ARGUMENT, n == 2 ? "metadata[0] has no value" : "metadata[0] has no key");
  }
  twind_close(client);
  CHECK(!twind_connect(fake_server_path(server), &(twind_options){.agent = ""}, &error));
  CHECK_ERROR(error, TWIND_INVALID_ARGUMENT, "agent is empty: leave it NULL");
  CHECK(!twind_connect(fake_server_path(server), &(twind_options){.connect_timeout_micros = -1}, &error));
  CHECK_ERROR(error, TWIND_INVALID_ARGUMENT, "connect_timeout_micros is negative");
  fake_server_stop(server);
}

int main(void) {
  RUN(changes_say_what_they_do);
  RUN(options_are_sent_as_stated);
  RUN(an_unknown_kind_is_written_again);
  RUN(what_would_be_lost_is_refused);
  RUN(a_call_may_name_its_agent);
}
