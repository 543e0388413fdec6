// The server that go_server.h describes. What a connection holds is kept until the program ends: there are few.
#include "go_server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../frame.h"

enum { INVALID_ARGUMENT = 3, UNIMPLEMENTED = 12, MESSAGES = 5 };

struct server {
  const char *service;
  const struct method *methods;
};

struct connection {
  const struct server *server;
  int fd;
  pthread_mutex_t writing, lock;
  pthread_cond_t news;
  // Under `lock`.
  struct call *open;
  bool has_ended;
};

struct call {
  struct connection *connection;
  uint32_t id;
  const struct method *method;
  Ttrpc__Request *request;
  struct call *next;
  // Under the connection's lock.
  struct frame messages[MESSAGES];
  int message_count;
  bool is_closed;
  // The reply of a call that sends no stream.
  uint8_t *reply;
  size_t reply_count;
};

const Ttrpc__Request *call_request(const struct call *call) { return call->request; }

static uint8_t *message_bytes(const ProtobufCMessage *message, size_t *count) {
  *count = protobuf_c_message_get_packed_size(message);
  uint8_t *bytes = malloc(*count + 1);
  if (!bytes) abort();
  protobuf_c_message_pack(message, bytes);
  return bytes;
}

// MARK: Sending

static void send_frame(struct connection *connection, struct frame frame) {
  pthread_mutex_lock(&connection->writing);
  frame_write(connection->fd, &frame);
  pthread_mutex_unlock(&connection->writing);
}

static void send_response(struct connection *connection, uint32_t id, struct outcome outcome, uint8_t *reply,
                          size_t reply_count) {
  Ttrpc__Status status = TTRPC__STATUS__INIT;
  status.code = outcome.code;
  status.message = (char *)(outcome.message ? outcome.message : "");
  Ttrpc__Response response = TTRPC__RESPONSE__INIT;
  if (outcome.code != 0) response.status = &status;
  response.payload = (ProtobufCBinaryData){.len = reply_count, .data = reply};
  size_t count;
  uint8_t *bytes = message_bytes(&response.base, &count);
  send_frame(connection,
             (struct frame){.stream = id, .type = FRAME_RESPONSE, .length = (uint32_t)count, .payload = bytes});
  free(bytes);
}

void call_send(struct call *call, const ProtobufCMessage *message) {
  size_t count;
  uint8_t *bytes = message_bytes(message, &count);
  if (!call->method->server_streams) {
    free(call->reply);
    call->reply = bytes;
    call->reply_count = count;
    return;
  }
  send_frame(call->connection,
             (struct frame){.stream = call->id, .type = FRAME_DATA, .length = (uint32_t)count, .payload = bytes});
  free(bytes);
}

// MARK: Calls

bool call_next(struct call *call, uint8_t **bytes, size_t *count) {
  struct connection *connection = call->connection;
  pthread_mutex_lock(&connection->lock);
  while (call->message_count == 0 && !call->is_closed && !connection->has_ended) {
    pthread_cond_wait(&connection->news, &connection->lock);
  }
  bool found = call->message_count > 0;
  if (found) {
    *bytes = call->messages[0].payload;
    *count = call->messages[0].length;
    memmove(call->messages, call->messages + 1, sizeof call->messages - sizeof call->messages[0]);
    call->message_count--;
    pthread_cond_broadcast(&connection->news);
  }
  pthread_mutex_unlock(&connection->lock);
  return found;
}

static struct call **find(struct connection *connection, uint32_t id) {
  struct call **link = &connection->open;
  while (*link && (*link)->id != id) link = &(*link)->next;
  return link;
}

static void *run_call(void *context) {
  struct call *call = context;
  struct connection *connection = call->connection;
  struct outcome outcome = call->method->run(call);
  if (outcome.code == 0 && call->method->server_streams) {
    send_frame(connection,
               (struct frame){.stream = call->id, .type = FRAME_DATA, .flags = REMOTE_CLOSED | NO_DATA});
  } else {
    send_response(connection, call->id, outcome, call->reply, outcome.code == 0 ? call->reply_count : 0);
  }
  pthread_mutex_lock(&connection->lock);
  struct call **link = find(connection, call->id);
  *link = call->next;
  while (call->message_count > 0) free(call->messages[--call->message_count].payload);
  pthread_cond_broadcast(&connection->news);
  pthread_mutex_unlock(&connection->lock);
  ttrpc__request__free_unpacked(call->request, NULL);
  free(call->reply);
  free(call);
  return NULL;
}

static const struct method *find_method(const struct server *server, const Ttrpc__Request *request) {
  if (strcmp(request->service, server->service) != 0) return NULL;
  for (const struct method *method = server->methods; method->name; method++) {
    if (strcmp(method->name, request->method) == 0) return method;
  }
  return NULL;
}

static void begin(struct connection *connection, const struct frame *frame) {
  Ttrpc__Request *request = ttrpc__request__unpack(NULL, frame->length, frame->payload);
  const struct method *method = request ? find_method(connection->server, request) : NULL;
  if (!method) {
    struct outcome outcome = {request ? UNIMPLEMENTED : INVALID_ARGUMENT, request ? "method" : "undecodable request"};
    send_response(connection, frame->stream, outcome, NULL, 0);
    if (request) ttrpc__request__free_unpacked(request, NULL);
    return;
  }
  struct call *call = calloc(1, sizeof *call);
  if (!call) abort();
  *call = (struct call){.connection = connection, .id = frame->stream, .method = method, .request = request};
  if (!method->client_streams || request->payload.len > 0) {
    call->messages[0] = (struct frame){.length = (uint32_t)request->payload.len, .payload = request->payload.data};
    call->message_count = 1;
    request->payload = (ProtobufCBinaryData){0};
  }
  call->is_closed = !method->client_streams;
  pthread_mutex_lock(&connection->lock);
  call->next = connection->open;
  connection->open = call;
  pthread_mutex_unlock(&connection->lock);
  pthread_t thread;
  if (pthread_create(&thread, NULL, run_call, call) != 0) abort();
  pthread_detach(thread);
}

// MARK: Receiving

// Takes the payload over. Waits until the call has room for the message, and nothing is read meanwhile.
static void take_data(struct connection *connection, struct frame frame) {
  pthread_mutex_lock(&connection->lock);
  struct call *call;
  while ((call = *find(connection, frame.stream)) && call->message_count == MESSAGES) {
    pthread_cond_wait(&connection->news, &connection->lock);
  }
  if (!call || !call->method->client_streams) {
    fprintf(stderr, "data came for stream %u, which has ended or takes none: ttrpc-go panics\n", frame.stream);
    exit(1);
  }
  if (call->is_closed || ((frame.flags & REMOTE_CLOSED) && frame.length > 0)) {
    fprintf(stderr, "stream %u was closed before, or is closed with bytes: ttrpc-go refuses that\n", frame.stream);
    exit(1);
  }
  if (frame.flags & NO_DATA) {
    free(frame.payload);
  } else {
    call->messages[call->message_count++] = frame;
  }
  if (frame.flags & REMOTE_CLOSED) call->is_closed = true;
  pthread_cond_broadcast(&connection->news);
  pthread_mutex_unlock(&connection->lock);
}

static void *receive_frames(void *context) {
  struct connection *connection = context;
  uint32_t last = 0;
  struct frame frame;
  while (frame_read(connection->fd, &frame)) {
    if (frame.type == FRAME_DATA) {
      take_data(connection, frame);
      continue;
    }
    if (frame.type == FRAME_REQUEST && (frame.stream % 2 == 0 || frame.stream <= last)) {
      struct outcome outcome = {INVALID_ARGUMENT, "stream ids are odd and increase"};
      send_response(connection, frame.stream, outcome, NULL, 0);
    } else if (frame.type == FRAME_REQUEST) {
      last = frame.stream;
      begin(connection, &frame);
    }
    free(frame.payload);
  }
  shutdown(connection->fd, SHUT_RDWR);
  pthread_mutex_lock(&connection->lock);
  connection->has_ended = true;
  pthread_cond_broadcast(&connection->news);
  pthread_mutex_unlock(&connection->lock);
  return NULL;
}

int server_run(const char *socket_path, const char *service, const struct method *methods) {
  struct server server = {service, methods};
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  if (strlen(socket_path) >= sizeof address.sun_path || listener < 0) return 1;
  strcpy(address.sun_path, socket_path);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 16) != 0) {
    perror(socket_path);
    return 1;
  }
  printf("listening on %s\n", socket_path);
  fflush(stdout);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) continue;
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) abort();
    connection->server = &server;
    connection->fd = fd;
    pthread_mutex_init(&connection->writing, NULL);
    pthread_mutex_init(&connection->lock, NULL);
    pthread_cond_init(&connection->news, NULL);
    pthread_t thread;
    if (pthread_create(&thread, NULL, receive_frames, connection) != 0) abort();
    pthread_detach(thread);
  }
}
