// The calls that twins.h describes.
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#define SERVICE "twind.v1.TwinService"

struct reply twin_write(struct client *client, const char *name, size_t count, char fill) {
  char *text = malloc(count + 1);
  if (!text) abort();
  memset(text, fill, count);
  text[count] = 0;
  Twind__V1__Value value = TWIND__V1__VALUE__INIT;
  value.kind_case = TWIND__V1__VALUE__KIND_STRING_VALUE;
  value.string_value = text;
  Twind__V1__Change change = TWIND__V1__CHANGE__INIT, *changes = &change;
  change.attribute = "note";
  change.op_case = TWIND__V1__CHANGE__OP_SET;
  change.set = &value;
  Twind__V1__UpdateTwinRequest request = TWIND__V1__UPDATE_TWIN_REQUEST__INIT;
  request.name = (char *)name;
  request.changes = &changes;
  request.n_changes = 1;
  struct call call = {
      .service = SERVICE, .method = "UpdateTwin", .request = &request.base,
      .metadata_key = "twind-agent", .metadata_value = "peer"};
  struct reply reply = client_call(client, &call);
  free(text);
  return reply;
}

struct call twin_read_call(Twind__V1__GetTwinRequest *request, const char *name) {
  twind__v1__get_twin_request__init(request);
  request->name = (char *)name;
  return (struct call){.service = SERVICE, .method = "GetTwin", .request = &request->base};
}

struct reply twin_read(struct client *client, const char *name, int timeout_millis) {
  Twind__V1__GetTwinRequest request;
  struct call call = twin_read_call(&request, name);
  call.timeout_millis = timeout_millis;
  return client_call(client, &call);
}

struct reply twins_read(struct client *client, char **names, size_t count) {
  Twind__V1__BatchGetTwinsRequest request = TWIND__V1__BATCH_GET_TWINS_REQUEST__INIT;
  request.names = names;
  request.n_names = count;
  struct call call = {.service = SERVICE, .method = "BatchGetTwins", .request = &request.base};
  return client_call(client, &call);
}

size_t twins_of_size(const struct reply *reply, size_t count) {
  Twind__V1__BatchGetTwinsResponse *response =
      twind__v1__batch_get_twins_response__unpack(NULL, reply->length, reply->payload);
  if (!response) return 0;
  size_t found = 0;
  for (size_t i = 0; i < response->n_results; i++) {
    const Twind__V1__TwinResult *result = response->results[i];
    if (result->result_case != TWIND__V1__TWIN_RESULT__RESULT_TWIN || result->twin->n_attributes != 1) continue;
    const Twind__V1__Value *value = result->twin->attributes[0]->value;
    if (value->kind_case == TWIND__V1__VALUE__KIND_STRING_VALUE && strlen(value->string_value) == count) found++;
  }
  twind__v1__batch_get_twins_response__free_unpacked(response, NULL);
  return found;
}

struct stream *twin_watch(struct client *client, const char *name) {
  Twind__V1__WatchTwinsRequest request = TWIND__V1__WATCH_TWINS_REQUEST__INIT;
  char *names[] = {(char *)name};
  request.names = names;
  request.n_names = 1;
  struct call call = {.service = SERVICE, .method = "WatchTwins", .request = &request.base};
  return client_stream(client, SERVER_STREAM, &call);
}

struct stream *twin_facts(struct client *client, const char *name) {
  Twind__V1__ListFactsRequest request = TWIND__V1__LIST_FACTS_REQUEST__INIT;
  request.name = (char *)name;
  struct call call = {.service = SERVICE, .method = "ListFacts", .request = &request.base};
  return client_stream(client, SERVER_STREAM, &call);
}
