/* Checks writes and makes requests of them. */
#include <twind/twin_service.h>
#include <twind/write.h>

#include "arena.h"
#include "fault.h"

static twind_change change_of(const char *attribute, twind_operation operation, Twind__V1__Value value) {
  return (twind_change){
      .attribute = attribute, .operation = operation, .value = value, .confidence = TWIND_NOT_STATED};
}

twind_change twind_set(const char *attribute, Twind__V1__Value value) {
  return change_of(attribute, TWIND_SET, value);
}

twind_change twind_increment(const char *attribute, Twind__V1__Value amount) {
  return change_of(attribute, TWIND_INCREMENT, amount);
}

twind_change twind_remove(const char *attribute) {
  return change_of(attribute, TWIND_REMOVE, (Twind__V1__Value)TWIND__V1__VALUE__INIT);
}

/* Whether the value has a kind, and its pointer is not NULL. */
static bool is_whole(const Twind__V1__Value *value) {
  switch (value->kind_case) {
    case TWIND__V1__VALUE__KIND_STRING_VALUE:
      return value->string_value;
    case TWIND__V1__VALUE__KIND_JSON_VALUE:
      return value->json_value;
    case TWIND__V1__VALUE__KIND_BYTES_VALUE:
      return value->bytes_value.data || value->bytes_value.len == 0;
    case TWIND__V1__VALUE__KIND_LIST_VALUE:
      return value->list_value;
    case TWIND__V1__VALUE__KIND__NOT_SET:
      return value->base.n_unknown_fields > 0; /* an unknown kind from a newer daemon */
    default:
      return true;
  }
}

/* Guesses from its size that a time is in another unit: as microseconds, the present in seconds or milliseconds would
 * be in January 1970, and in nanoseconds after the year 33,000. NULL if it may well be in microseconds. */
static const char *other_unit(int64_t micros) {
  if (micros >= 1000000000 && micros < 10000000000) return "seconds";
  if (micros >= 1000000000000 && micros < 10000000000000) return "milliseconds";
  return micros >= 1000000000000000000 ? "nanoseconds" : NULL;
}

static bool check_time(const char *attribute, const char *what, int64_t micros, twind_error *error) {
  const char *unit = other_unit(micros);
  if (!unit) return true;
  fault(error, TWIND_INVALID_ARGUMENT,
        "%s of \"%s\" is %lld, which looks like %s since the epoch: convert it to microseconds", what, attribute,
        (long long)micros, unit);
  return false;
}

static bool check_change(const twind_change *change, size_t index, twind_error *error) {
  const char *name = change->attribute;
  bool known = change->operation >= TWIND_SET && change->operation <= TWIND_REMOVE;
  double confidence = change->confidence;
  if (!name)
    fault(error, TWIND_INVALID_ARGUMENT, "changes[%zu] has no attribute name", index);
  else if (!known)
    fault(error, TWIND_INVALID_ARGUMENT,
          "the change of \"%s\" has the operation %d: make it with twind_set, twind_increment or twind_remove", name,
          (int)change->operation);
  else if (change->operation != TWIND_REMOVE && !is_whole(&change->value))
    fault(error, TWIND_INVALID_ARGUMENT,
          "the value of \"%s\" is NULL or has no kind: make it with twind_string_value or a similar function", name);
  else if (confidence != TWIND_NOT_STATED && !(confidence > 0 && confidence <= 1))
    fault(error, TWIND_INVALID_ARGUMENT,
          "the confidence %g of \"%s\" must be above 0 and at most 1: use TWIND_NOT_STATED if it is not known",
          confidence, name);
  else if (change->evidence && !*change->evidence)
    fault(error, TWIND_INVALID_ARGUMENT, "the evidence of \"%s\" is empty: leave it NULL if there is none", name);
  else
    return check_time(name, "valid_from", change->valid_from, error) &&
           check_time(name, "valid_to", change->valid_to, error);
  return false;
}

static bool check_options(const twind_write *write, twind_error *error) {
  if (!write->name)
    fault(error, TWIND_INVALID_ARGUMENT, "the write has no twin name: set one, for example acme/customer/42");
  else if (write->n_changes > 0 && !write->changes)
    fault(error, TWIND_INVALID_ARGUMENT, "changes is NULL, but n_changes is %zu", write->n_changes);
  else if ((unsigned)write->precondition > TWIND_IF_ABSENT)
    fault(error, TWIND_INVALID_ARGUMENT,
          "precondition is %d: use TWIND_ALWAYS, TWIND_IF_REVISION or TWIND_IF_ABSENT", (int)write->precondition);
  else if (write->expected_revision && write->precondition != TWIND_IF_REVISION)
    fault(error, TWIND_INVALID_ARGUMENT,
          "expected_revision is %llu but would not be checked: set precondition to TWIND_IF_REVISION",
          (unsigned long long)write->expected_revision);
  else if (write->idempotency_key && !*write->idempotency_key)
    fault(error, TWIND_INVALID_ARGUMENT, "idempotency_key is empty: leave it NULL if there is none");
  else if (write->purpose && !*write->purpose)
    fault(error, TWIND_INVALID_ARGUMENT, "purpose is empty: leave it NULL if there is none");
  else if ((unsigned)write->durability > TWIND__V1__DURABILITY__DURABILITY_SYNCED)
    fault(error, TWIND_INVALID_ARGUMENT, "durability is %d: use a value of Twind__V1__Durability",
          (int)write->durability);
  else
    return true;
  return false;
}

static bool check(const twind_write *write, twind_error *error) {
  if (!check_options(write, error)) return false;
  for (size_t i = 0; i < write->n_changes; i++)
    if (!check_change(&write->changes[i], i, error)) return false;
  return true;
}

/* A change as the request refers to it. */
struct part {
  Twind__V1__Change change;
  Twind__V1__Value value;
};

static void fill_part(struct part *part, const twind_change *from) {
  Twind__V1__Change *change = &part->change;
  twind__v1__change__init(change);
  part->value = from->value;
  change->attribute = (char *)from->attribute;
  switch (from->operation) {
    case TWIND_SET:
      change->op_case = TWIND__V1__CHANGE__OP_SET;
      change->set = &part->value;
      break;
    case TWIND_INCREMENT:
      change->op_case = TWIND__V1__CHANGE__OP_INCREMENT;
      change->increment = &part->value;
      break;
    case TWIND_REMOVE:
      change->op_case = TWIND__V1__CHANGE__OP_REMOVE;
      change->remove = 1;
  }
  change->valid_from_time = from->valid_from;
  change->valid_to_time = from->valid_to;
  if (from->confidence != TWIND_NOT_STATED) change->confidence = from->confidence;
  if (from->evidence) change->evidence = (char *)from->evidence;
}

static void fill_options(Twind__V1__UpdateTwinRequest *request, const twind_write *write) {
  request->name = (char *)write->name;
  if (write->precondition == TWIND_IF_REVISION) {
    request->precondition_case = TWIND__V1__UPDATE_TWIN_REQUEST__PRECONDITION_EXPECTED_REVISION;
    request->expected_revision = write->expected_revision;
  } else if (write->precondition == TWIND_IF_ABSENT) {
    request->precondition_case = TWIND__V1__UPDATE_TWIN_REQUEST__PRECONDITION_MUST_NOT_EXIST;
    request->must_not_exist = 1;
  }
  if (write->idempotency_key) request->idempotency_key = (char *)write->idempotency_key;
  if (write->purpose) request->purpose = (char *)write->purpose;
  request->durability = write->durability;
}

/* One block: the request, the pointers to its changes, and the changes. */
struct request {
  Twind__V1__UpdateTwinRequest message;
  Twind__V1__Change *changes[];
};

Twind__V1__UpdateTwinRequest *twind_update_request(const twind_write *write, twind_error *error) {
  if (!check(write, error)) return NULL;
  size_t n = write->n_changes;
  struct request *request = arena_block(sizeof *request + n * (sizeof(Twind__V1__Change *) + sizeof(struct part)));
  if (!request) {
    fault(error, TWIND_RESOURCE_EXHAUSTED, "out of memory for a write of %zu changes", n);
    return NULL;
  }
  struct part *parts = (struct part *)(request->changes + n);
  twind__v1__update_twin_request__init(&request->message);
  fill_options(&request->message, write);
  for (size_t i = 0; i < n; i++) {
    fill_part(&parts[i], &write->changes[i]);
    request->changes[i] = &parts[i].change;
  }
  request->message.n_changes = n;
  request->message.changes = request->changes;
  fault_none(error);
  return &request->message;
}

Twind__V1__UpdateTwinResponse *twind_update(twind_client *client, const twind_write *write,
                                            const twind_call_options *options, twind_error *error) {
  Twind__V1__UpdateTwinRequest *request = twind_update_request(write, error);
  if (!request) return NULL;
  Twind__V1__UpdateTwinResponse *response = twind_update_twin(client, request, options, error);
  twind_free(request);
  return response;
}
