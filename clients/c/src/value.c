/* Making values and changes, and finding them again. */
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

Twind__V1__Change twind_set_change(const char *attribute, Twind__V1__Value *value) {
  Twind__V1__Change change = TWIND__V1__CHANGE__INIT;
  change.attribute = (char *)attribute;
  change.op_case = TWIND__V1__CHANGE__OP_SET;
  change.set = value;
  return change;
}

Twind__V1__Change twind_increment_change(const char *attribute, Twind__V1__Value *amount) {
  Twind__V1__Change change = TWIND__V1__CHANGE__INIT;
  change.attribute = (char *)attribute;
  change.op_case = TWIND__V1__CHANGE__OP_INCREMENT;
  change.increment = amount;
  return change;
}

Twind__V1__Change twind_remove_change(const char *attribute) {
  Twind__V1__Change change = TWIND__V1__CHANGE__INIT;
  change.attribute = (char *)attribute;
  change.op_case = TWIND__V1__CHANGE__OP_REMOVE;
  change.remove = 1;
  return change;
}

const Twind__V1__Attribute *twind_find(const Twind__V1__Twin *twin, const char *attribute) {
  for (size_t i = 0; twin && i < twin->n_attributes; i++)
    if (strcmp(twin->attributes[i]->name, attribute) == 0) return twin->attributes[i];
  return NULL;
}
