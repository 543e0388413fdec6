/* The scripted server. */
#include "fake_server.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { CONNECTIONS_MAX = 64 };

struct connection {
  struct fake_server *server;
  pthread_t thread;
  int fd;
};

struct fake_server {
  char folder[32], path[64];
  int listener;
  pthread_t thread;
  serve_function serve;
  void *context;
  atomic_int accepted;
  int begun, joined; /* connections[joined..<begun] run */
  struct connection connections[CONNECTIONS_MAX];
};

static void *serve_connection(void *argument) {
  struct connection *connection = argument;
  connection->server->serve(connection->fd, connection->server->context);
  shutdown(connection->fd, SHUT_RDWR); /* closed after the join, so that its number stays taken */
  return NULL;
}

static void *accept_all(void *argument) {
  struct fake_server *server = argument;
  int fd;
  while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
    CHECK(server->begun < CONNECTIONS_MAX);
    struct connection *connection = &server->connections[server->begun++];
    *connection = (struct connection){.server = server, .fd = fd};
    atomic_fetch_add(&server->accepted, 1);
    CHECK(pthread_create(&connection->thread, NULL, serve_connection, connection) == 0);
  }
  return NULL;
}

void fake_server_revive(struct fake_server *server) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, server->path);
  unlink(server->path);
  server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(bind(server->listener, (struct sockaddr *)&address, sizeof address) == 0);
  CHECK(listen(server->listener, 16) == 0);
  CHECK(pthread_create(&server->thread, NULL, accept_all, server) == 0);
}

struct fake_server *fake_server_start(serve_function serve, void *context) {
  struct fake_server *server = calloc(1, sizeof *server);
  strcpy(server->folder, P_tmpdir "/twind-c-XXXXXX");
  CHECK(mkdtemp(server->folder));
  snprintf(server->path, sizeof server->path, "%s/s", server->folder);
  server->serve = serve;
  server->context = context;
  fake_server_revive(server);
  return server;
}

const char *fake_server_path(const struct fake_server *server) { return server->path; }

twind_client *fake_server_client(const struct fake_server *server) {
  const char *micros = getenv("BUSY_POLL_MICROS");
  twind_error error;
  twind_client *client =
      twind_connect(server->path, &(twind_options){.busy_poll_micros = micros ? atoll(micros) : 0}, &error);
  CHECK(client);
  return client;
}

int fake_server_connections(const struct fake_server *server) { return atomic_load(&server->accepted); }

void fake_server_kill(struct fake_server *server) {
  shutdown(server->listener, SHUT_RDWR); /* ends accept */
  pthread_join(server->thread, NULL);
  close(server->listener);
  for (; server->joined < server->begun; server->joined++) {
    struct connection *connection = &server->connections[server->joined];
    shutdown(connection->fd, SHUT_RDWR);
    pthread_join(connection->thread, NULL);
    close(connection->fd);
  }
}

void fake_server_stop(struct fake_server *server) {
  fake_server_kill(server);
  unlink(server->path);
  rmdir(server->folder);
  free(server);
}

static bool receive_bytes(int fd, uint8_t *bytes, size_t length) {
  for (size_t have = 0; have < length;) {
    ssize_t count = recv(fd, bytes + have, length - have, 0);
    if (count <= 0) return false;
    have += (size_t)count;
  }
  return true;
}

bool receive(int fd, struct received *frame) {
  uint8_t header[FRAME_HEADER_BYTES];
  if (!receive_bytes(fd, header, sizeof header)) return false;
  *frame = (struct received){
      .length = (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3],
      .stream = (uint32_t)header[4] << 24 | (uint32_t)header[5] << 16 | (uint32_t)header[6] << 8 | header[7],
      .type = header[8],
      .flags = header[9],
  };
  frame->payload = malloc(frame->length + 1);
  if (!receive_bytes(fd, frame->payload, frame->length)) {
    free(frame->payload);
    return false;
  }
  if (frame->type == FRAME_REQUEST) {
    frame->request = ttrpc__request__unpack(NULL, frame->length, frame->payload);
    CHECK(frame->request);
  }
  return true;
}

void received_free(struct received *frame) {
  if (frame->request) ttrpc__request__free_unpacked(frame->request, NULL);
  free(frame->payload);
}

void send_bytes(int fd, const void *bytes, size_t length) {
  for (size_t sent = 0; sent < length;) {
    ssize_t count = send(fd, (const uint8_t *)bytes + sent, length - sent, MSG_NOSIGNAL);
    if (count <= 0) return; /* the client has gone */
    sent += (size_t)count;
  }
}

void send_frame(int fd, uint32_t stream, uint8_t type, uint8_t flags, const void *payload, size_t length) {
  uint8_t *bytes = malloc(FRAME_HEADER_BYTES + length);
  struct frame frame = {.stream = stream, .type = type, .flags = flags, .length = (uint32_t)length};
  frame_write_header(bytes, &frame);
  if (length > 0) memcpy(bytes + FRAME_HEADER_BYTES, payload, length);
  send_bytes(fd, bytes, FRAME_HEADER_BYTES + length);
  free(bytes);
}

static uint8_t *packed(const ProtobufCMessage *message, size_t *length) {
  *length = protobuf_c_message_get_packed_size(message);
  uint8_t *bytes = malloc(*length + 1);
  protobuf_c_message_pack(message, bytes);
  return bytes;
}

void send_data(int fd, uint32_t stream, uint8_t flags, const ProtobufCMessage *message) {
  size_t length;
  uint8_t *bytes = packed(message, &length);
  send_frame(fd, stream, FRAME_DATA, flags, bytes, length);
  free(bytes);
}

static void send_envelope(int fd, uint32_t stream, const Ttrpc__Response *response) {
  size_t length;
  uint8_t *bytes = packed(&response->base, &length);
  send_frame(fd, stream, FRAME_RESPONSE, 0, bytes, length);
  free(bytes);
}

void send_reply(int fd, uint32_t stream, const ProtobufCMessage *message) {
  Ttrpc__Response response = TTRPC__RESPONSE__INIT;
  response.payload.data = packed(message, &response.payload.len);
  send_envelope(fd, stream, &response);
  free(response.payload.data);
}

void send_status(int fd, uint32_t stream, int code, const char *text) {
  Ttrpc__Response response = TTRPC__RESPONSE__INIT;
  Ttrpc__Status status = TTRPC__STATUS__INIT;
  status.code = code;
  status.message = (char *)text;
  response.status = &status;
  send_envelope(fd, stream, &response);
}

void send_twin(int fd, const struct received *frame) {
  Twind__V1__GetTwinRequest *asked =
      twind__v1__get_twin_request__unpack(NULL, frame->request->payload.len, frame->request->payload.data);
  CHECK(asked);
  Twind__V1__Twin twin = TWIND__V1__TWIN__INIT;
  twin.name = asked->name;
  twin.revision = 7;
  Twind__V1__GetTwinResponse reply = TWIND__V1__GET_TWIN_RESPONSE__INIT;
  reply.twin = &twin;
  reply.sequence = 7;
  send_reply(fd, frame->stream, &reply.base);
  twind__v1__get_twin_request__free_unpacked(asked, NULL);
}

void serve_twins(int fd, void *context) {
  (void)context;
  struct received frame;
  while (receive(fd, &frame)) {
    if (frame.type == FRAME_REQUEST) send_twin(fd, &frame);
    received_free(&frame);
  }
}

Twind__V1__GetTwinRequest get_request(const char *name) {
  Twind__V1__GetTwinRequest request = TWIND__V1__GET_TWIN_REQUEST__INIT;
  request.name = (char *)name;
  return request;
}

Twind__V1__GetTwinResponse *get_twin(twind_client *client, const char *name, twind_error *error) {
  Twind__V1__GetTwinRequest request = get_request(name);
  Twind__V1__GetTwinResponse *reply = twind_get_twin(client, &request, NULL, error);
  if (reply) CHECK_TEXT(reply->twin->name, name);
  return reply;
}

int64_t micros_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
