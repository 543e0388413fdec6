/* Making, finding and reading values. */
#include <string.h>
#include <twind/value.h>

Twind__V1__Value twind_string_value(const char *text) {
  Twind__V1__Value value = TWIND__V1__VALUE__INIT;
  value.kind_case = TWIND__V1__VALUE__KIND_STRING_VALUE;
  value.string_value = (char *)text;
  return value;
}

Twind__V1__Value twind_int_value(int64_t number) {
  Twind__V1__Value value = TWIND__V1__VALUE__INIT;
  value.kind_case = TWIND__V1__VALUE__KIND_INT_VALUE;
  value.int_value = number;
  return value;
}

Twind__V1__Value twind_double_value(double number) {
  Twind__V1__Value value = TWIND__V1__VALUE__INIT;
  value.kind_case = TWIND__V1__VALUE__KIND_DOUBLE_VALUE;
  value.double_value = number;
  return value;
}

Twind__V1__Value twind_bool_value(bool truth) {
  Twind__V1__Value value = TWIND__V1__VALUE__INIT;
  value.kind_case = TWIND__V1__VALUE__KIND_BOOL_VALUE;
  value.bool_value = truth;
  return value;
}

Twind__V1__Value twind_bytes_value(const void *data, size_t length) {
  Twind__V1__Value value = TWIND__V1__VALUE__INIT;
  value.kind_case = TWIND__V1__VALUE__KIND_BYTES_VALUE;
  value.bytes_value = (ProtobufCBinaryData){.len = length, .data = (uint8_t *)data};
  return value;
}

Twind__V1__Value twind_timestamp_value(int64_t micros_since_epoch) {
  Twind__V1__Value value = TWIND__V1__VALUE__INIT;
  value.kind_case = TWIND__V1__VALUE__KIND_TIMESTAMP_VALUE;
  value.timestamp_value = micros_since_epoch;
  return value;
}

Twind__V1__Value twind_json_value(const char *json) {
  Twind__V1__Value value = TWIND__V1__VALUE__INIT;
  value.kind_case = TWIND__V1__VALUE__KIND_JSON_VALUE;
  value.json_value = (char *)json;
  return value;
}

const Twind__V1__Attribute *twind_find(const Twind__V1__Twin *twin, const char *attribute) {
  for (size_t i = 0; twin && i < twin->n_attributes; i++)
    if (strcmp(twin->attributes[i]->name, attribute) == 0) return twin->attributes[i];
  return NULL;
}

const Twind__V1__Value *twind_find_value(const Twind__V1__Twin *twin, const char *attribute) {
  const Twind__V1__Attribute *found = twind_find(twin, attribute);
  return found ? found->value : NULL;
}

static bool is_kind(const Twind__V1__Value *value, Twind__V1__Value__KindCase kind) {
  return value && value->kind_case == kind;
}

bool twind_as_string(const Twind__V1__Value *value, const char **text) {
  if (!is_kind(value, TWIND__V1__VALUE__KIND_STRING_VALUE)) return false;
  *text = value->string_value;
  return true;
}

bool twind_as_int(const Twind__V1__Value *value, int64_t *number) {
  if (!is_kind(value, TWIND__V1__VALUE__KIND_INT_VALUE)) return false;
  *number = value->int_value;
  return true;
}

bool twind_as_double(const Twind__V1__Value *value, double *number) {
  if (is_kind(value, TWIND__V1__VALUE__KIND_DOUBLE_VALUE))
    *number = value->double_value;
  else if (is_kind(value, TWIND__V1__VALUE__KIND_INT_VALUE))
    *number = (double)value->int_value;
  else
    return false;
  return true;
}

bool twind_as_bool(const Twind__V1__Value *value, bool *truth) {
  if (!is_kind(value, TWIND__V1__VALUE__KIND_BOOL_VALUE)) return false;
  *truth = value->bool_value;
  return true;
}

bool twind_as_bytes(const Twind__V1__Value *value, const uint8_t **data, size_t *length) {
  if (!is_kind(value, TWIND__V1__VALUE__KIND_BYTES_VALUE)) return false;
  *data = value->bytes_value.data;
  *length = value->bytes_value.len;
  return true;
}

bool twind_as_timestamp(const Twind__V1__Value *value, int64_t *micros_since_epoch) {
  if (!is_kind(value, TWIND__V1__VALUE__KIND_TIMESTAMP_VALUE)) return false;
  *micros_since_epoch = value->timestamp_value;
  return true;
}

bool twind_as_list(const Twind__V1__Value *value, const Twind__V1__ScalarList **list) {
  if (!is_kind(value, TWIND__V1__VALUE__KIND_LIST_VALUE)) return false;
  *list = value->list_value;
  return true;
}

bool twind_as_json(const Twind__V1__Value *value, const char **json) {
  if (!is_kind(value, TWIND__V1__VALUE__KIND_JSON_VALUE)) return false;
  *json = value->json_value;
  return true;
}

const char *twind_kind(const Twind__V1__Value *value) {
  if (!value) return "none";
  switch (value->kind_case) {
    case TWIND__V1__VALUE__KIND_STRING_VALUE:
      return "string";
    case TWIND__V1__VALUE__KIND_INT_VALUE:
      return "int";
    case TWIND__V1__VALUE__KIND_DOUBLE_VALUE:
      return "double";
    case TWIND__V1__VALUE__KIND_BOOL_VALUE:
      return "bool";
    case TWIND__V1__VALUE__KIND_BYTES_VALUE:
      return "bytes";
    case TWIND__V1__VALUE__KIND_TIMESTAMP_VALUE:
      return "timestamp";
    case TWIND__V1__VALUE__KIND_LIST_VALUE:
      return "list";
    case TWIND__V1__VALUE__KIND_JSON_VALUE:
      return "json";
    default:
      return value->base.n_unknown_fields > 0 ? "unknown" : "none";
  }
}
