/* Bytes that no honest daemon sends: the client returns an error in time, never crashes, and stays bounded. */
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arena.h"
#include "check.h"
#include "fake_server.h"

typedef void (*attack)(int fd, const struct received *frame);

/* Answers the first request with the attack and later ones honestly. */
static void serve_attack(int fd, void *context) {
  struct received frame;
  for (bool first = true; receive(fd, &frame); first = false) {
    if (frame.type == FRAME_REQUEST) {
      if (first)
        (*(attack *)context)(fd, &frame);
      else
        send_twin(fd, &frame);
    }
    received_free(&frame);
  }
}

/* What the attacked call gets; afterwards the client must work, on the same connection or a new one. */
static twind_error under(attack attack, int connections_wanted) {
  struct fake_server *server = fake_server_start(serve_attack, &attack);
  twind_options options = {.call_timeout_micros = 2000000};
  twind_error error, later;
  twind_client *client = twind_connect(fake_server_path(server), &options, &error);
  CHECK(client);
  twind_free(get_twin(client, "acme/customer/1", &error));
  /* Closing after an attack, the server ends up on its second connection with an attack as well. */
  Twind__V1__GetTwinResponse *reply = get_twin(client, "acme/customer/2", &later);
  if (connections_wanted == 1) CHECK(reply);
  twind_free(reply);
  CHECK_EQUAL(fake_server_connections(server), connections_wanted);
  twind_close(client);
  fake_server_stop(server);
  return error;
}

static void giant_length(int fd, const struct received *frame) {
  (void)frame;
  send_bytes(fd, "\x00\x40\x00\x01\x00\x00\x00\x01\x02\x00", 10);
}
static void first_byte_set(int fd, const struct received *frame) {
  (void)frame;
  send_bytes(fd, "\xff\xff\xff\xff\x00\x00\x00\x01\x02\x00 and more", 19);
}
static void lengths_above_4_mib_break_the_connection(void) {
  twind_error error = under(giant_length, 2);
  CHECK_ERROR(error, TWIND_UNAVAILABLE, "a frame of 4194305 bytes");
  error = under(first_byte_set, 2);
  CHECK_ERROR(error, TWIND_UNAVAILABLE, "a frame of 4294967295 bytes");
}

static void half_a_header(int fd, const struct received *frame) {
  (void)frame;
  send_bytes(fd, "\x00\x00\x00\x05\x00", 5);
  shutdown(fd, SHUT_RDWR);
}
static void half_a_payload(int fd, const struct received *frame) {
  (void)frame;
  send_bytes(fd, "\x00\x00\x10\x00\x00\x00\x00\x01\x02\x00 begun", 16);
  shutdown(fd, SHUT_RDWR);
}
static void frames_cut_short_are_a_lost_connection(void) {
  twind_error error = under(half_a_header, 2);
  CHECK_ERROR(error, TWIND_UNAVAILABLE, "whether a write took effect is unknown");
  error = under(half_a_payload, 2);
  CHECK_ERROR(error, TWIND_UNAVAILABLE, "the daemon closed the connection");
}

static void frames_of_others(int fd, const struct received *frame) {
  send_frame(fd, frame->stream, 0, 0, "x", 1);
  send_frame(fd, frame->stream, FRAME_REQUEST, 0, "x", 1);
  send_frame(fd, frame->stream, 77, 255, "x", 1);
  send_frame(fd, 0, FRAME_RESPONSE, 0, "x", 1);
  send_frame(fd, 2, FRAME_RESPONSE, 0, "x", 1);
  send_frame(fd, frame->stream + 2, FRAME_RESPONSE, 0, "x", 1);
  send_frame(fd, UINT32_MAX, FRAME_DATA, 7, "x", 1);
  send_twin(fd, frame);
  send_twin(fd, frame);
}
static void frames_for_nobody_are_ignored(void) {
  twind_error error = under(frames_of_others, 1);
  CHECK_EQUAL(error.code, TWIND_OK);
}

static void one_byte_at_a_time(int fd, const struct received *frame) {
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  send_twin(pair[0], frame);
  shutdown(pair[0], SHUT_WR);
  for (char byte; recv(pair[1], &byte, 1, 0) == 1;) {
    send_bytes(fd, &byte, 1);
    usleep(100);
  }
  close(pair[0]);
  close(pair[1]);
}
static void a_reply_may_come_in_pieces(void) {
  twind_error error = under(one_byte_at_a_time, 1);
  CHECK_EQUAL(error.code, TWIND_OK);
}

static void a_data_frame(int fd, const struct received *frame) { send_frame(fd, frame->stream, FRAME_DATA, 1, "x", 1); }
static void garbage(int fd, const struct received *frame) { send_frame(fd, frame->stream, 2, 0, "\xff\xff\xff", 3); }
static void garbage_inside(int fd, const struct received *frame) {
  send_frame(fd, frame->stream, FRAME_RESPONSE, 0, "\x12\x03\x0a\x7f\x01", 5);
}
static void bad_replies_fail_their_call_alone(void) {
  twind_error error = under(a_data_frame, 1);
  CHECK_ERROR(error, TWIND_INTERNAL, "answered GetTwin with a stream");
  error = under(garbage, 1);
  CHECK_ERROR(error, TWIND_INTERNAL, "(3 bytes) is not a ttrpc response");
  error = under(garbage_inside, 1);
  CHECK_ERROR(error, TWIND_INTERNAL, "(3 bytes) is not a valid twind.v1.GetTwinResponse");
}

/* Frames without end for a stream that is not open: the deadline still holds. */
static void flood(int fd, const struct received *frame) {
  (void)frame;
  char zeroes[10000] = {0};
  for (int64_t end = micros_now() + 800000; micros_now() < end;) send_bytes(fd, zeroes, sizeof zeroes);
}
static void a_flood_does_not_hold_up_the_deadline(void) {
  attack attack = flood;
  struct fake_server *server = fake_server_start(serve_attack, &attack);
  twind_options options = {.call_timeout_micros = 200000};
  twind_error error;
  twind_client *client = twind_connect(fake_server_path(server), &options, &error);
  int64_t before = micros_now();
  CHECK(!get_twin(client, "acme/customer/1", &error));
  CHECK_ERROR(error, TWIND_DEADLINE_EXCEEDED, "GetTwin");
  CHECK(micros_now() - before < 700000);
  twind_close(client);
  fake_server_stop(server);
}

/* `count` times the same field bytes, as a GetTwinResponse. */
static void *unpack_repeated(const char *field, size_t field_bytes, size_t count, uint32_t factor) {
  uint8_t *bytes = malloc(field_bytes * count);
  for (size_t i = 0; i < count; i++) memcpy(bytes + i * field_bytes, field, field_bytes);
  void *message = arena_unpack(&twind__v1__get_twin_response__descriptor, bytes, field_bytes * count, factor);
  free(bytes);
  return message;
}

static void unpacking_is_bounded_in_space_and_time(void) {
  int64_t before = micros_now();
  /* A twin with one attribute, again and again: protobuf-c would merge them in quadratic time. */
  CHECK(!unpack_repeated("\x0a\x02\x1a\x00", 4, 200000, UNPACK_FACTOR_DEFAULT));
  /* 4 MiB of unknown fields of two bytes. */
  CHECK(!unpack_repeated("\x78\x01", 2, 2000000, 8));
  CHECK(micros_now() - before < 5000000);
  Twind__V1__GetTwinResponse *last = unpack_repeated("\x10\x05", 2, 3, UNPACK_FACTOR_DEFAULT);
  CHECK(last && last->sequence == 5);
  twind_free(last);
}

/* The bytes of a twin whose `attributes` attributes are all lists of `items` small integers. */
static uint8_t *pack_lists(size_t attributes, size_t items, size_t *length) {
  Twind__V1__Scalar scalar = TWIND__V1__SCALAR__INIT, **scalars = malloc(items * sizeof *scalars);
  scalar.kind_case = TWIND__V1__SCALAR__KIND_INT_VALUE;
  scalar.int_value = 1;
  for (size_t i = 0; i < items; i++) scalars[i] = &scalar;
  Twind__V1__ScalarList list = TWIND__V1__SCALAR_LIST__INIT;
  list.values = scalars;
  list.n_values = items;
  Twind__V1__Value value = TWIND__V1__VALUE__INIT;
  value.kind_case = TWIND__V1__VALUE__KIND_LIST_VALUE;
  value.list_value = &list;
  Twind__V1__Attribute attribute = TWIND__V1__ATTRIBUTE__INIT, **pointers = malloc(attributes * sizeof *pointers);
  attribute.name = "a";
  attribute.value = &value;
  for (size_t i = 0; i < attributes; i++) pointers[i] = &attribute;
  Twind__V1__Twin twin = TWIND__V1__TWIN__INIT;
  twin.attributes = pointers;
  twin.n_attributes = attributes;
  Twind__V1__GetTwinResponse reply = TWIND__V1__GET_TWIN_RESPONSE__INIT;
  reply.twin = &twin;
  uint8_t *bytes = malloc(twind__v1__get_twin_response__get_packed_size(&reply));
  *length = twind__v1__get_twin_response__pack(&reply, bytes);
  free(pointers);
  free(scalars);
  return bytes;
}

/* The least favourable replies that the API allows: twins of up to 1 MiB full of lists of small integers. Lengths
 * just above a power of two are the worst, since protobuf-c's memory for fields grows in such steps. */
static void allowed_replies_fit_the_default_budget(void) {
  int refused_at_8 = 0;
  for (size_t items = 1; items <= 16384; items *= 2) {
    for (size_t extra = 0; extra <= 2; extra++) {
      size_t length, attributes = 1000000 / (4 * (items + extra) + 12);
      uint8_t *bytes = pack_lists(attributes < 512 ? attributes : 512, items + extra, &length);
      const ProtobufCMessageDescriptor *type = &twind__v1__get_twin_response__descriptor;
      void *message = arena_unpack(type, bytes, length, UNPACK_FACTOR_DEFAULT);
      CHECK(message);
      twind_free(message);
      message = arena_unpack(type, bytes, length, 8);
      if (!message) refused_at_8++;
      twind_free(message);
      free(bytes);
    }
  }
  CHECK(refused_at_8 > 0); /* why the default is not lower */
}

/* A real reply with random bytes changed, cut or added, unpacked: whatever it is, no crash and no leak. */
static void mutated_replies_never_crash(void) {
  uint8_t reply[512], mutated[600];
  Twind__V1__Value email = twind_string_value("ada@example.com"), orders = twind_int_value(3);
  Twind__V1__Attribute attributes[2] = {TWIND__V1__ATTRIBUTE__INIT, TWIND__V1__ATTRIBUTE__INIT};
  Twind__V1__Attribute *pointers[] = {&attributes[0], &attributes[1]};
  attributes[0].name = "email", attributes[0].value = &email;
  attributes[1].name = "orders", attributes[1].value = &orders, attributes[1].agent = "sales";
  Twind__V1__Twin twin = TWIND__V1__TWIN__INIT;
  twin.name = "acme/customer/1", twin.attributes = pointers, twin.n_attributes = 2;
  Twind__V1__GetTwinResponse message = TWIND__V1__GET_TWIN_RESPONSE__INIT;
  message.twin = &twin, message.sequence = 9;
  size_t length = twind__v1__get_twin_response__pack(&message, reply);
  unsigned seed = 4711;
  int whole = 0;
  for (int round = 0; round < 200000; round++) {
    memcpy(mutated, reply, length);
    size_t size = length;
    for (int i = rand_r(&seed) % 4; i >= 0; i--) mutated[(size_t)rand_r(&seed) % length] = (uint8_t)rand_r(&seed);
    if (rand_r(&seed) % 3 == 0) size = (size_t)rand_r(&seed) % length;
    void *unpacked = arena_unpack(message.base.descriptor, mutated, size, UNPACK_FACTOR_DEFAULT);
    whole += unpacked != NULL;
    twind_free(unpacked);
  }
  CHECK(whole > 1000 && whole < 199000);
}

int main(void) {
  RUN(lengths_above_4_mib_break_the_connection);
  RUN(frames_cut_short_are_a_lost_connection);
  RUN(frames_for_nobody_are_ignored);
  RUN(a_reply_may_come_in_pieces);
  RUN(bad_replies_fail_their_call_alone);
  RUN(a_flood_does_not_hold_up_the_deadline);
  RUN(unpacking_is_bounded_in_space_and_time);
  RUN(allowed_replies_fit_the_default_budget);
  RUN(mutated_replies_never_crash);
}
