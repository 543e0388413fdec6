/* Unary calls: what goes over the wire, and what comes back as reply or error. */
#include <pthread.h>

#include "check.h"
#include "fake_server.h"

/* What the server saw of the last call. */
struct seen {
  uint32_t streams[8];
  int requests, cancels;
  uint32_t cancelled;
  uint8_t flags;
  int64_t timeout;
  char metadata[128], route[64];
};

/* How it answers. */
struct script {
  void (*answer)(int fd, const struct received *frame);
  pthread_mutex_t lock;
  struct seen seen;
};

static void note_request(struct seen *seen, const struct received *frame) {
  CHECK_EQUAL(frame->type, FRAME_REQUEST);
  seen->streams[seen->requests++ % 8] = frame->stream;
  seen->flags = frame->flags;
  seen->timeout = frame->request->timeout_nano;
  snprintf(seen->route, sizeof seen->route, "%s/%s", frame->request->service, frame->request->method);
  seen->metadata[0] = 0;
  for (size_t i = 0; i < frame->request->n_metadata; i++) {
    size_t used = strlen(seen->metadata);
    snprintf(seen->metadata + used, sizeof seen->metadata - used, "%s=%s;", frame->request->metadata[i]->key,
             frame->request->metadata[i]->value);
  }
}

static void note_cancel(struct seen *seen, const struct received *frame) {
  CHECK(frame->length == 0 && frame->flags == 0);
  seen->cancelled = frame->stream;
  seen->cancels++;
}

static void serve_script(int fd, void *context) {
  struct script *script = context;
  struct received frame;
  while (receive(fd, &frame)) {
    bool cancel = frame.type == FRAME_CANCEL;
    pthread_mutex_lock(&script->lock);
    (cancel ? note_cancel : note_request)(&script->seen, &frame);
    pthread_mutex_unlock(&script->lock);
    if (!cancel) script->answer(fd, &frame);
    received_free(&frame);
  }
}

static void answer_twin(int fd, const struct received *frame) { send_twin(fd, frame); }
static void answer_nothing(int fd, const struct received *frame) { (void)fd, (void)frame; }
static void answer_empty(int fd, const struct received *frame) { send_frame(fd, frame->stream, 2, 0, NULL, 0); }
static void answer_code_99(int fd, const struct received *frame) { send_status(fd, frame->stream, 99, "strange"); }

static void answer_conflict(int fd, const struct received *frame) {
  Twind__V1__ConflictDetail conflict = TWIND__V1__CONFLICT_DETAIL__INIT;
  conflict.name = "acme/customer/1";
  conflict.current_revision = 12;
  conflict.last_agent = "sales";
  uint8_t detail[64], payload[512];
  Ttrpc__Any any = TTRPC__ANY__INIT, other = TTRPC__ANY__INIT, *details[] = {&other, &any};
  other.type_url = "type.googleapis.com/example.Other";
  any.type_url = "type.googleapis.com/twind.v1.ConflictDetail";
  any.value = (ProtobufCBinaryData){.len = twind__v1__conflict_detail__pack(&conflict, detail), .data = detail};
  Ttrpc__Status status = TTRPC__STATUS__INIT;
  status.code = TWIND_ABORTED;
  status.message = "acme/customer/1 is at revision 12";
  status.details = details;
  status.n_details = 2;
  Ttrpc__Response response = TTRPC__RESPONSE__INIT;
  response.status = &status;
  send_frame(fd, frame->stream, FRAME_RESPONSE, 0, payload, ttrpc__response__pack(&response, payload));
}

/* 600 bytes of é: the message that is kept must end with a whole one. */
static void answer_long_text(int fd, const struct received *frame) {
  char text[603] = "xy";
  for (int i = 2; i < 602; i += 2) memcpy(text + i, "é", 3);
  send_status(fd, frame->stream, TWIND_NOT_FOUND, text);
}

struct setting {
  struct script script;
  struct fake_server *server;
  twind_client *client;
};

static struct setting *begin(void (*answer)(int, const struct received *), const twind_options *options) {
  struct setting *setting = calloc(1, sizeof *setting);
  setting->script.answer = answer;
  pthread_mutex_init(&setting->script.lock, NULL);
  setting->server = fake_server_start(serve_script, &setting->script);
  twind_error error;
  setting->client = twind_connect(fake_server_path(setting->server), options, &error);
  CHECK(setting->client);
  CHECK_EQUAL(error.code, TWIND_OK);
  return setting;
}

static struct seen seen(struct setting *setting) {
  pthread_mutex_lock(&setting->script.lock);
  struct seen copy = setting->script.seen;
  pthread_mutex_unlock(&setting->script.lock);
  return copy;
}

static void end(struct setting *setting) {
  twind_close(setting->client);
  fake_server_stop(setting->server);
  free(setting);
}

static void replies_are_unpacked(void) {
  struct setting *s = begin(answer_twin, NULL);
  twind_error error;
  for (int i = 0; i < 3; i++) {
    Twind__V1__GetTwinResponse *reply = get_twin(s->client, "acme/customer/1", &error);
    CHECK(reply);
    CHECK_EQUAL(error.code, TWIND_OK);
    CHECK_EQUAL(reply->twin->revision, 7);
    twind_free(reply);
  }
  struct seen last = seen(s);
  CHECK(last.streams[0] == 1 && last.streams[1] == 3 && last.streams[2] == 5);
  CHECK_EQUAL(last.flags, 0);
  CHECK_TEXT(last.route, "twind.v1.TwinService/GetTwin");
  CHECK_TEXT(last.metadata, "");
  CHECK_EQUAL(last.timeout, 30000000000);
  end(s);
}

static void metadata_and_timeout_are_sent(void) {
  struct setting *s = begin(answer_twin, &(twind_options){.agent = "billing", .call_timeout_micros = 2500000});
  Twind__V1__GetTwinRequest request = get_request("acme/customer/1");
  twind_metadata pairs[] = {{"trace", "4711"}, {"trace", "4712"}};
  twind_call_options options = {.metadata = pairs, .n_metadata = 2};
  twind_free(twind_get_twin(s->client, &request, &options, NULL));
  struct seen last = seen(s);
  CHECK_TEXT(last.metadata, "twind-agent=billing;trace=4711;trace=4712;");
  CHECK_EQUAL(seen(s).timeout, 2500000000);
  options.timeout_micros = TWIND_NO_TIMEOUT;
  twind_free(twind_get_twin(s->client, &request, &options, NULL));
  CHECK_EQUAL(seen(s).timeout, 0);
  twind_metadata many[16] = {{"a", "b"}};
  options = (twind_call_options){.metadata = many, .n_metadata = 16};
  twind_error error;
  CHECK(!twind_get_twin(s->client, &request, &options, &error));
  CHECK_ERROR(error, TWIND_INVALID_ARGUMENT, "16 pairs of metadata");
  end(s);
}

static void a_status_becomes_an_error_with_details(void) {
  struct setting *s = begin(answer_conflict, NULL);
  twind_error error;
  CHECK(!get_twin(s->client, "acme/customer/1", &error));
  CHECK_ERROR(error, TWIND_ABORTED, "is at revision 12");
  twind_error copy = error;
  Twind__V1__ConflictDetail *conflict = twind_error_detail(&copy, &twind__v1__conflict_detail__descriptor);
  CHECK(conflict);
  CHECK_EQUAL(conflict->current_revision, 12);
  CHECK_TEXT(conflict->last_agent, "sales");
  twind_free(conflict);
  CHECK(!twind_error_detail(&error, &twind__v1__limit_detail__descriptor));
  end(s);
}

static void odd_statuses_are_still_errors(void) {
  struct setting *s = begin(answer_code_99, NULL);
  twind_error error;
  CHECK(!get_twin(s->client, "acme/customer/1", &error));
  CHECK_ERROR(error, TWIND_UNKNOWN, "strange");
  CHECK(!twind_error_detail(&error, &twind__v1__conflict_detail__descriptor));
  end(s);
  s = begin(answer_long_text, NULL);
  CHECK(!get_twin(s->client, "acme/customer/1", &error));
  size_t length = strlen(error.message);
  CHECK(length == 510 && memcmp(error.message + length - 2, "é", 2) == 0);
  end(s);
  CHECK_TEXT(twind_code_name(TWIND_NOT_FOUND), "NOT_FOUND");
  CHECK_TEXT(twind_code_name(TWIND_UNAUTHENTICATED), "UNAUTHENTICATED");
  CHECK_TEXT(twind_code_name(17), "UNKNOWN");
  CHECK_TEXT(twind_code_name(-1), "UNKNOWN");
}

static void no_bytes_are_an_empty_reply(void) {
  struct setting *s = begin(answer_empty, NULL);
  twind_error error;
  Twind__V1__GetTwinRequest request = get_request("acme/customer/1");
  Twind__V1__GetTwinResponse *reply = twind_get_twin(s->client, &request, NULL, &error);
  CHECK(reply && !reply->twin && reply->sequence == 0);
  CHECK_EQUAL(error.code, TWIND_OK);
  twind_free(reply);
  end(s);
}

static void a_deadline_ends_the_call_and_tells_the_server(void) {
  struct setting *s = begin(answer_nothing, NULL);
  Twind__V1__GetTwinRequest request = get_request("acme/customer/1");
  twind_error error;
  int64_t before = micros_now();
  CHECK(!twind_get_twin(s->client, &request, &(twind_call_options){.timeout_micros = 50000}, &error));
  int64_t took = micros_now() - before;
  CHECK_ERROR(error, TWIND_DEADLINE_EXCEEDED, "GetTwin took longer than its timeout of 50.000 ms");
  CHECK(took >= 50000 && took < 5000000);
  CHECK_EQUAL(seen(s).timeout, 50000000);
  while (seen(s).cancels == 0 && micros_now() - before < 10000000) continue;
  CHECK_EQUAL(seen(s).cancelled, 1);
  CHECK(!twind_get_twin(s->client, &request, &(twind_call_options){.timeout_micros = -1}, &error));
  CHECK_ERROR(error, TWIND_DEADLINE_EXCEEDED, "negative");
  CHECK_EQUAL(seen(s).requests, 1);
  end(s);
}

static void requests_that_cannot_pass_are_not_sent(void) {
  struct setting *s = begin(answer_twin, NULL);
  twind_error error;
  char *name = malloc(300000);
  memset(name, 'a', 299999);
  name[299999] = 0;
  CHECK(!get_twin(s->client, name, &error));
  CHECK_ERROR(error, TWIND_RESOURCE_EXHAUSTED, "at most 262144");
  free(name);
  Twind__V1__ListTwinsRequest list = TWIND__V1__LIST_TWINS_REQUEST__INIT;
  CHECK(!twind_invoke(s->client, &twind_get_twin_method, &list.base, NULL, &error));
  CHECK_ERROR(error, TWIND_INVALID_ARGUMENT, "takes a twind.v1.GetTwinRequest, not a twind.v1.ListTwinsRequest");
  Twind__V1__GetTwinRequest blank = {0};
  CHECK(!twind_get_twin(s->client, &blank, NULL, &error));
  CHECK_ERROR(error, TWIND_INVALID_ARGUMENT, "not initialised");
  Twind__V1__WatchTwinsRequest watch = TWIND__V1__WATCH_TWINS_REQUEST__INIT;
  CHECK(!twind_invoke(s->client, &twind_watch_twins_method, &watch.base, NULL, &error));
  CHECK_ERROR(error, TWIND_INVALID_ARGUMENT, "use twind_watch_start");
  CHECK_EQUAL(seen(s).requests, 0);
  end(s);
}

static void a_request_of_the_full_limit_passes(void) {
  struct setting *s = begin(answer_twin, NULL);
  size_t length = 262144 - 4; /* tag and a length of three bytes */
  char *name = malloc(length + 1);
  memset(name, 'a', length);
  name[length] = 0;
  twind_error error;
  Twind__V1__GetTwinResponse *reply = get_twin(s->client, name, &error);
  CHECK(reply);
  twind_free(reply);
  free(name);
  end(s);
}

int main(void) {
  RUN(replies_are_unpacked);
  RUN(metadata_and_timeout_are_sent);
  RUN(a_status_becomes_an_error_with_details);
  RUN(odd_statuses_are_still_errors);
  RUN(no_bytes_are_an_empty_reply);
  RUN(a_deadline_ends_the_call_and_tells_the_server);
  RUN(requests_that_cannot_pass_are_not_sent);
  RUN(a_request_of_the_full_limit_passes);
}
