// The client that go_client.h describes. The locks, in the order in which they are taken: `table`, `writing`, `mail`.
#include "go_client.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "envelope.h"
#include "../frame.h"

struct stream {
  struct client *client;
  uint32_t id;
  enum shape shape;
  bool has_ended;
  struct stream *next_open, *next_made;
  // Under `mail`: the room for one message, and whether anyone will still take one.
  bool is_full, is_closed;
  struct frame message;
};

struct client {
  int fd;
  bool one_lock;
  pthread_t receiver;
  pthread_mutex_t table;  // `open`, `made`, `next_id`.
  pthread_mutex_t writing;
  pthread_mutex_t mail;  // What a Go channel has inside: never held while anything waits for the socket.
  pthread_cond_t news;
  struct stream *open, *made;
  uint32_t next_id;
  atomic_bool has_ended;
  atomic_uint strays;
  // For client_describe: since when somebody waits for what, in milliseconds, 0 = nobody; and for which stream.
  atomic_llong writes_since, seeks_since, delivers_since;
  atomic_uint written_stream, received_stream;
};

static long long now_millis(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

// MARK: Sending

static bool write_frame(struct client *client, const struct frame *frame) {
  client->written_stream = frame->stream;
  client->writes_since = now_millis();
  bool done = frame_write(client->fd, frame);
  client->writes_since = 0;
  return done;
}

static struct stream *create_stream(struct client *client, uint8_t flags, uint8_t *bytes, size_t count) {
  struct stream *stream = calloc(1, sizeof *stream);
  if (!stream) abort();
  stream->client = client;
  pthread_mutex_lock(&client->table);
  stream->id = client->next_id;
  client->next_id += 2;
  stream->next_open = client->open;
  client->open = stream;
  stream->next_made = client->made;
  client->made = stream;
  // The table is let go only when it is this call's turn to write: meanwhile nobody receives.
  pthread_mutex_lock(&client->writing);
  if (!client->one_lock) pthread_mutex_unlock(&client->table);
  struct frame frame = {
      .stream = stream->id, .type = FRAME_REQUEST, .flags = flags, .length = (uint32_t)count, .payload = bytes};
  bool done = !client->has_ended && write_frame(client, &frame);
  pthread_mutex_unlock(&client->writing);
  if (client->one_lock) pthread_mutex_unlock(&client->table);
  return done ? stream : NULL;
}

static bool send_data(struct stream *stream, uint8_t flags, uint8_t *bytes, size_t count) {
  struct client *client = stream->client;
  if (client->one_lock) pthread_mutex_lock(&client->table);
  pthread_mutex_lock(&client->writing);
  struct frame frame = {
      .stream = stream->id, .type = FRAME_DATA, .flags = flags, .length = (uint32_t)count, .payload = bytes};
  bool done = !client->has_ended && write_frame(client, &frame);
  pthread_mutex_unlock(&client->writing);
  if (client->one_lock) pthread_mutex_unlock(&client->table);
  return done;
}

static struct stream *send_request(struct client *client, uint8_t flags, const struct call *call, bool is_unary) {
  size_t count;
  uint8_t *bytes = envelope_of_call(call, is_unary, &count);
  struct stream *stream = create_stream(client, flags, bytes, count);
  free(bytes);
  return stream;
}

// MARK: Receiving

// Nobody takes what arrives for the stream any more.
static void close_stream(struct stream *stream) {
  struct client *client = stream->client;
  pthread_mutex_lock(&client->mail);
  stream->is_closed = true;
  pthread_cond_broadcast(&client->news);
  pthread_mutex_unlock(&client->mail);
}

static void delete_stream(struct stream *stream) {
  struct client *client = stream->client;
  pthread_mutex_lock(&client->table);
  struct stream **link = &client->open;
  while (*link && *link != stream) link = &(*link)->next_open;
  if (*link) *link = stream->next_open;
  pthread_mutex_unlock(&client->table);
  close_stream(stream);
}

static struct stream *find_stream(struct client *client, uint32_t id) {
  client->seeks_since = now_millis();
  pthread_mutex_lock(&client->table);
  client->seeks_since = 0;
  struct stream *stream = client->open;
  while (stream && stream->id != id) stream = stream->next_open;
  pthread_mutex_unlock(&client->table);
  return stream;
}

// Waits until the stream has room, and so keeps all that is behind the frame waiting.
static void deliver(struct stream *stream, struct frame *frame) {
  struct client *client = stream->client;
  pthread_mutex_lock(&client->mail);
  if (stream->is_full) client->delivers_since = now_millis();
  while (stream->is_full && !stream->is_closed && !client->has_ended) pthread_cond_wait(&client->news, &client->mail);
  client->delivers_since = 0;
  if (stream->is_closed || client->has_ended) {
    free(frame->payload);
  } else {
    stream->message = *frame;
    stream->is_full = true;
    pthread_cond_broadcast(&client->news);
  }
  pthread_mutex_unlock(&client->mail);
}

static void *receive_frames(void *context) {
  struct client *client = context;
  struct frame frame;
  while (frame_read(client->fd, &frame)) {
    client->received_stream = frame.stream;
    struct stream *stream = find_stream(client, frame.stream);
    if (stream) {
      deliver(stream, &frame);
    } else {
      client->strays++;
      free(frame.payload);
    }
  }
  // Before it takes the table's lock: whoever writes under it must be let go.
  client_abort(client);
  pthread_mutex_lock(&client->table);
  for (struct stream *stream = client->open; stream; stream = stream->next_open) close_stream(stream);
  client->open = NULL;
  pthread_mutex_unlock(&client->table);
  return NULL;
}

static struct reply closed(void) { return (struct reply){.code = CALL_CLOSED}; }

// The stream's next frame, within the time; else false, with the reason in the reply.
static bool take(struct stream *stream, int timeout_millis, struct frame *frame, struct reply *reply) {
  struct client *client = stream->client;
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += timeout_millis / 1000;
  end.tv_nsec += timeout_millis % 1000 * 1000000L;
  if (end.tv_nsec >= 1000000000L) {
    end.tv_nsec -= 1000000000L;
    end.tv_sec++;
  }
  *reply = closed();
  pthread_mutex_lock(&client->mail);
  while (!stream->is_full && !stream->is_closed) {
    if (timeout_millis == 0) {
      pthread_cond_wait(&client->news, &client->mail);
    } else if (pthread_cond_timedwait(&client->news, &client->mail, &end) == ETIMEDOUT && !stream->is_full) {
      reply->code = CALL_TIMED_OUT;
      break;
    }
  }
  bool found = stream->is_full;
  if (found) {
    *frame = stream->message;
    stream->is_full = false;
    pthread_cond_broadcast(&client->news);
  }
  pthread_mutex_unlock(&client->mail);
  return found;
}

static struct reply unexpected(const struct frame *frame) {
  struct reply reply = {.code = CALL_PROTOCOL, .type = frame->type, .flags = frame->flags};
  snprintf(reply.message, sizeof reply.message, "an unexpected frame of type %u came", frame->type);
  free(frame->payload);
  return reply;
}

// MARK: Calls

struct reply client_call(struct client *client, const struct call *call) {
  struct stream *stream = send_request(client, 0, call, true);
  if (!stream) return closed();
  struct frame frame;
  struct reply reply;
  bool found = take(stream, call->timeout_millis, &frame, &reply);
  delete_stream(stream);
  if (!found) return reply;
  return frame.type == FRAME_RESPONSE ? reply_of_response(&frame) : unexpected(&frame);
}

struct stream *client_stream(struct client *client, enum shape shape, const struct call *call) {
  struct stream *stream =
      send_request(client, shape == SERVER_STREAM ? REMOTE_CLOSED : REMOTE_OPEN, call, false);
  if (stream) stream->shape = shape;
  return stream;
}

bool stream_send(struct stream *stream, const ProtobufCMessage *message) {
  size_t count;
  uint8_t *bytes = message_bytes(message, &count);
  bool done = send_data(stream, 0, bytes, count);
  free(bytes);
  return done;
}

bool stream_close_send(struct stream *stream) { return send_data(stream, REMOTE_CLOSED | NO_DATA, NULL, 0); }

// As in ttrpc-go, a stream that ends with a status other than OK stays in the table.
struct reply stream_receive(struct stream *stream, int timeout_millis) {
  if (stream->has_ended) return (struct reply){.code = CALL_END};
  struct frame frame;
  struct reply reply;
  if (!take(stream, timeout_millis, &frame, &reply)) return reply;
  if (frame.type == FRAME_RESPONSE) {
    reply = reply_of_response(&frame);
    if (reply.code != CALL_OK) return reply;
  } else if (frame.type != FRAME_DATA || stream->shape == CLIENT_STREAM) {
    reply = unexpected(&frame);
  } else {
    bool is_end = (frame.flags & REMOTE_CLOSED) && (frame.flags & NO_DATA);
    reply = (struct reply){.code = is_end ? CALL_END : CALL_OK, .type = frame.type, .flags = frame.flags};
    reply.payload = frame.payload;
    reply.length = frame.length;
    if (!(frame.flags & REMOTE_CLOSED)) return reply;
  }
  stream->has_ended = true;
  delete_stream(stream);
  return reply;
}

// MARK: The connection

struct client *client_connect(const char *socket_path, const struct client_options *options) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(socket_path) >= sizeof address.sun_path) return NULL;
  strcpy(address.sun_path, socket_path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return NULL;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    close(fd);
    return NULL;
  }
  struct client *client = calloc(1, sizeof *client);
  if (!client) abort();
  client->fd = fd;
  client->next_id = options && options->first_stream ? options->first_stream : 1;
  client->one_lock = options && options->one_lock;
  pthread_mutex_init(&client->table, NULL);
  pthread_mutex_init(&client->writing, NULL);
  pthread_mutex_init(&client->mail, NULL);
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&client->news, &attributes);
  pthread_condattr_destroy(&attributes);
  if (pthread_create(&client->receiver, NULL, receive_frames, client) != 0) abort();
  return client;
}

void client_abort(struct client *client) {
  client->has_ended = true;
  shutdown(client->fd, SHUT_RDWR);
  // Who waits for a stream to have room waits no more.
  pthread_mutex_lock(&client->mail);
  pthread_cond_broadcast(&client->news);
  pthread_mutex_unlock(&client->mail);
}

void client_close(struct client *client) {
  client_abort(client);
  pthread_join(client->receiver, NULL);
  close(client->fd);
  while (client->made) {
    struct stream *stream = client->made;
    client->made = stream->next_made;
    if (stream->is_full) free(stream->message.payload);
    free(stream);
  }
  pthread_cond_destroy(&client->news);
  pthread_mutex_destroy(&client->mail);
  pthread_mutex_destroy(&client->writing);
  pthread_mutex_destroy(&client->table);
  free(client);
}

bool client_has_ended(struct client *client) { return client->has_ended; }

bool client_is_stuck(struct client *client) { return client->delivers_since != 0; }

unsigned client_strays(struct client *client) { return client->strays; }

void client_describe(struct client *client, char *text, size_t room) {
  long long now = now_millis(), writes = client->writes_since, seeks = client->seeks_since,
            delivers = client->delivers_since;
  char sender[128] = "nobody writes", receiver[160] = "the receiver waits for the server";
  if (client->has_ended) {
    snprintf(text, room, "the connection has ended");
    return;
  }
  if (writes) {
    snprintf(sender, sizeof sender, "stream %u has waited %.1f s for the socket to take its frame",
             client->written_stream, (double)(now - writes) / 1000);
  }
  if (seeks) {
    snprintf(receiver, sizeof receiver,
             "the receiver has waited %.1f s for the stream table's lock, with a frame of stream %u in hand",
             (double)(now - seeks) / 1000, client->received_stream);
  } else if (delivers) {
    snprintf(receiver, sizeof receiver, "the receiver has waited %.1f s for stream %u to take its message before",
             (double)(now - delivers) / 1000, client->received_stream);
  }
  snprintf(text, room, "%s; %s", sender, receiver);
}
