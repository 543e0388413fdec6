/* Values and changes: made, sent through protobuf-c and back, found, and shown. */
#include <stdint.h>
#include <twind/twind.h>

#include "arena.h"
#include "check.h"

static void expect_text(Twind__V1__Value value, const char *wanted) {
  uint8_t bytes[256];
  size_t length = twind__v1__value__pack(&value, bytes);
  Twind__V1__Value *back = arena_unpack(&twind__v1__value__descriptor, bytes, length, UNPACK_FACTOR_DEFAULT);
  CHECK(back);
  char text[128];
  CHECK_EQUAL(twind_format(back, text, sizeof text), strlen(wanted));
  CHECK_TEXT(text, wanted);
  twind_free(back);
}

static void every_kind_survives_the_wire(void) {
  expect_text(twind_string_value("zoë"), "zoë");
  expect_text(twind_string_value(""), "");
  expect_text(twind_int_value(INT64_MIN), "-9223372036854775808");
  expect_text(twind_double_value(0.1), "0.10000000000000001");
  expect_text(twind_bool_value(true), "true");
  expect_text(twind_bool_value(false), "false");
  expect_text(twind_bytes_value("\x00\xff\x10", 3), "00ff10");
  expect_text(twind_json_value("{\"a\": 1}"), "{\"a\": 1}");
  expect_text(twind_timestamp_value(0), "1970-01-01T00:00:00Z");
  expect_text(twind_timestamp_value(852076800123456), "1997-01-01T00:00:00.123456Z");
  expect_text(twind_timestamp_value(-1), "1969-12-31T23:59:59.999999Z");
  expect_text(twind_timestamp_value(INT64_MAX), "294247-01-10T04:00:54.775807Z");
}

static void lists_are_shown_in_brackets(void) {
  Twind__V1__Scalar one = TWIND__V1__SCALAR__INIT, text = TWIND__V1__SCALAR__INIT, *items[] = {&one, &text};
  one.kind_case = TWIND__V1__SCALAR__KIND_INT_VALUE;
  one.int_value = 1;
  text.kind_case = TWIND__V1__SCALAR__KIND_STRING_VALUE;
  text.string_value = "two";
  Twind__V1__ScalarList list = TWIND__V1__SCALAR_LIST__INIT;
  list.values = items;
  list.n_values = 2;
  Twind__V1__Value value = TWIND__V1__VALUE__INIT;
  value.kind_case = TWIND__V1__VALUE__KIND_LIST_VALUE;
  value.list_value = &list;
  expect_text(value, "[1, two]");
  list.n_values = 0;
  expect_text(value, "[]");
}

static void text_is_cut_as_snprintf_cuts(void) {
  Twind__V1__Value value = twind_string_value("abcdef"), none = TWIND__V1__VALUE__INIT;
  char text[8] = "xxxxxxx";
  CHECK_EQUAL(twind_format(&value, text, 4), 6);
  CHECK_TEXT(text, "abc");
  CHECK(text[4] == 'x');
  CHECK_EQUAL(twind_format(&value, NULL, 0), 6);
  CHECK_EQUAL(twind_format(&value, text, 7), 6);
  CHECK_TEXT(text, "abcdef");
  CHECK_EQUAL(twind_format(&none, text, sizeof text), 0);
  CHECK_TEXT(text, "");
  CHECK_EQUAL(twind_format(NULL, text, sizeof text), 0);
}

static void changes_say_what_they_do(void) {
  Twind__V1__Change *changes[] = {
      TWIND_SET("email", twind_string_value("ada@example.com")),
      TWIND_INCREMENT("orders", twind_int_value(2)),
      TWIND_REMOVE("nickname"),
  };
  Twind__V1__UpdateTwinRequest request = TWIND__V1__UPDATE_TWIN_REQUEST__INIT;
  request.name = "acme/customer/1";
  request.changes = changes;
  request.n_changes = 3;
  uint8_t bytes[256];
  size_t length = twind__v1__update_twin_request__pack(&request, bytes);
  Twind__V1__UpdateTwinRequest *back = arena_unpack(request.base.descriptor, bytes, length, UNPACK_FACTOR_DEFAULT);
  CHECK(back && back->n_changes == 3);
  CHECK_TEXT(back->changes[0]->attribute, "email");
  CHECK_EQUAL(back->changes[0]->op_case, TWIND__V1__CHANGE__OP_SET);
  CHECK_TEXT(back->changes[0]->set->string_value, "ada@example.com");
  CHECK_EQUAL(back->changes[1]->op_case, TWIND__V1__CHANGE__OP_INCREMENT);
  CHECK_EQUAL(back->changes[1]->increment->int_value, 2);
  CHECK_EQUAL(back->changes[2]->op_case, TWIND__V1__CHANGE__OP_REMOVE);
  CHECK(back->changes[2]->remove);
  twind_free(back);
}

static void attributes_are_found_by_name(void) {
  Twind__V1__Attribute first = TWIND__V1__ATTRIBUTE__INIT, second = TWIND__V1__ATTRIBUTE__INIT;
  Twind__V1__Attribute *attributes[] = {&first, &second};
  first.name = "address";
  second.name = "address.city";
  Twind__V1__Twin twin = TWIND__V1__TWIN__INIT;
  twin.attributes = attributes;
  twin.n_attributes = 2;
  CHECK(twind_find(&twin, "address.city") == &second);
  CHECK(twind_find(&twin, "address") == &first);
  CHECK(!twind_find(&twin, "addres"));
  CHECK(!twind_find(NULL, "address"));
}

int main(void) {
  RUN(every_kind_survives_the_wire);
  RUN(lists_are_shown_in_brackets);
  RUN(text_is_cut_as_snprintf_cuts);
  RUN(changes_say_what_they_do);
  RUN(attributes_are_found_by_name);
}
