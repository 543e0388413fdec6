// The lean client: buffers, system calls, and the matching of replies to calls.

#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CALL_ROOM = 1 << 10, FIRST_ROOM_MIN = 4 << 10, FIRST_ROOM_MAX = 256 << 10, PROBLEM_BYTES = 256, PATIENCE_SECONDS = 30 };

typedef struct {
  uint8_t *bytes;
  size_t begin, end, room;
} bench_buffer;

struct bench_wire {
  int fd, polling;
  bench_framing framing;
  uint32_t window, last_id;
  bench_buffer in, out;
  // RESP answers in order: a ring of the tags that wait.
  uint32_t *waiting, first, count;
  // Of ttrpc, per tag: the id of the call in flight, 0 = none; and whether it is a stream.
  uint32_t *ids;
  uint8_t *streams;
  char problem[PROBLEM_BYTES];
};

static uint64_t now_nanos(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int fail(bench_wire *wire, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(wire->problem, PROBLEM_BYTES, format, arguments);
  va_end(arguments);
  return -1;
}

// A kilobyte for each call in flight: a batch of replies comes with one read, and ten thousand connections stay small.
static size_t first_room(const bench_wire *wire) {
  size_t room = (size_t)wire->window * CALL_ROOM;
  return room < FIRST_ROOM_MIN ? FIRST_ROOM_MIN : room > FIRST_ROOM_MAX ? FIRST_ROOM_MAX : room;
}

// Room for `bytes` more at the end.
static int reserve(const bench_wire *wire, bench_buffer *buffer, size_t bytes) {
  if (buffer->room - buffer->end >= bytes) return 0;
  if (buffer->begin > 0) {
    memmove(buffer->bytes, buffer->bytes + buffer->begin, buffer->end - buffer->begin);
    buffer->end -= buffer->begin;
    buffer->begin = 0;
    if (buffer->room - buffer->end >= bytes) return 0;
  }
  size_t room = buffer->room ? buffer->room : first_room(wire);
  while (room - buffer->end < bytes) room *= 2;
  uint8_t *larger = realloc(buffer->bytes, room);
  if (!larger) return -1;
  buffer->bytes = larger;
  buffer->room = room;
  return 0;
}

bench_wire *bench_wire_open(const char *path, bench_framing framing, uint32_t window, int polling) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return NULL;
  }
  strcpy(address.sun_path, path);
  bench_wire *wire = calloc(1, sizeof *wire);
  if (!wire) return NULL;
  wire->framing = framing;
  wire->window = window;
  wire->polling = polling;
  wire->waiting = calloc(window, sizeof *wire->waiting);
  wire->ids = calloc(window, sizeof *wire->ids);
  wire->streams = calloc(window, 1);
  wire->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
  if (wire->fd >= 0) setsockopt(wire->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  int connected = wire->fd >= 0 ? connect(wire->fd, (struct sockaddr *)&address, sizeof address) : -1;
  if (connected != 0 || !wire->waiting || !wire->ids || !wire->streams) {
    int problem = errno;
    bench_wire_close(wire);
    errno = problem;
    return NULL;
  }
  return wire;
}

void bench_wire_close(bench_wire *wire) {
  if (!wire) return;
  if (wire->fd >= 0) close(wire->fd);
  free(wire->in.bytes);
  free(wire->out.bytes);
  free(wire->waiting);
  free(wire->ids);
  free(wire->streams);
  free(wire);
}

const char *bench_wire_problem(const bench_wire *wire) { return wire->problem; }
int bench_wire_fd(const bench_wire *wire) { return wire->fd; }

// Stream ids grow, are odd, and tell their tag: half of one modulo the window is the tag.
static uint32_t next_id(bench_wire *wire, uint32_t tag) {
  uint32_t number = wire->last_id + 1;
  return number + (tag + wire->window - number % wire->window) % wire->window;
}

int bench_wire_begin(bench_wire *wire, const void *request, size_t bytes, uint32_t tag, int stream) {
  if (reserve(wire, &wire->out, bytes) != 0) return fail(wire, "out of memory");
  uint8_t *place = wire->out.bytes + wire->out.end;
  memcpy(place, request, bytes);
  wire->out.end += bytes;
  if (wire->framing == BENCH_TTRPC) {
    uint32_t number = next_id(wire, tag);
    if (number > INT32_MAX / 2) return fail(wire, "the connection has no stream ids left: run for a shorter time");
    wire->last_id = number;
    wire->ids[tag] = 2 * number + 1;
    bench_put_be32(place + 4, wire->ids[tag]);
    wire->streams[tag] = (uint8_t)stream;
  } else {
    wire->waiting[(wire->first + wire->count++) % wire->window] = tag;
  }
  return 0;
}

int bench_wire_flush(bench_wire *wire) {
  bench_buffer *out = &wire->out;
  while (out->begin < out->end) {
    ssize_t sent = send(wire->fd, out->bytes + out->begin, out->end - out->begin, MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) return fail(wire, "sending failed: %s", strerror(errno));
    if (sent > 0) out->begin += (size_t)sent;
  }
  out->begin = out->end = 0;
  return 0;
}

// Waits for bytes and takes them. 1 = some came, 0 = the deadline passed.
static int fill(bench_wire *wire, uint64_t deadline) {
  if (reserve(wire, &wire->in, first_room(wire) / 2) != 0) return fail(wire, "out of memory");
  int flags = wire->polling || deadline != UINT64_MAX ? MSG_DONTWAIT : 0;
  uint64_t patience = 0;
  for (;;) {
    ssize_t count = recv(wire->fd, wire->in.bytes + wire->in.end, wire->in.room - wire->in.end, flags);
    if (count > 0) {
      wire->in.end += (size_t)count;
      return 1;
    }
    if (count == 0) return fail(wire, "the server closed the connection");
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return fail(wire, "receiving failed: %s", strerror(errno));
    uint64_t now = now_nanos();
    if (now >= deadline) return 0;
    if (patience == 0) patience = now + PATIENCE_SECONDS * 1000000000ull;
    if (!flags || now >= patience) return fail(wire, "no reply came within %d s", PATIENCE_SECONDS);
    if (wire->polling) {
      bench_pause();
      continue;
    }
    struct timespec rest = {(time_t)((deadline - now) / 1000000000u), (long)((deadline - now) % 1000000000u)};
    struct pollfd entry = {.fd = wire->fd, .events = POLLIN};
    ppoll(&entry, 1, &rest, NULL);
  }
}

// The bytes of the first whole message that has come; 0 = none has.
static int64_t whole_message(bench_wire *wire) {
  const uint8_t *bytes = wire->in.bytes + wire->in.begin;
  size_t count = wire->in.end - wire->in.begin;
  if (wire->framing == BENCH_RESP) return bench_resp_length(bytes, count);
  if (count < BENCH_HEADER_BYTES) return 0;
  size_t length = (size_t)bench_be32(bytes) + BENCH_HEADER_BYTES;
  return count < length ? 0 : (int64_t)length;
}

// The text of the status that a refusal carries: Response{1: Status{1: code, 2: text}}.
static int refused(bench_wire *wire, const uint8_t *frame, int64_t length) {
  for (int64_t at = BENCH_HEADER_BYTES; at + 4 < length && at < 20; at++) {
    if (frame[at] != 0x08 || frame[at + 2] != 0x12) continue;
    int64_t text = at + (frame[at + 3] < 0x80 ? 4 : 5);
    int64_t count = length - text < 200 ? length - text : 200;
    return fail(wire, "the server refused a call with code %d: %.*s", frame[at + 1], (int)count, frame + text);
  }
  return fail(wire, "the server refused a call");
}

// The call that a ttrpc frame ends, or -2 when it ends none.
static int64_t ttrpc_tag(bench_wire *wire, const uint8_t *frame, int64_t length) {
  uint32_t id = bench_be32(frame + 4);
  uint32_t tag = id / 2 % wire->window;
  // Late, of a call that was given up.
  if (wire->ids[tag] != id) return -2;
  // A response that begins with field 1 carries a status: it is an error.
  if (frame[8] == BENCH_RESPONSE && length > BENCH_HEADER_BYTES && frame[10] == 0x0a) {
    return refused(wire, frame, length);
  }
  if (frame[8] != BENCH_RESPONSE && (frame[8] != BENCH_DATA || !wire->streams[tag])) return -2;
  wire->ids[tag] = 0;
  if (frame[8] == BENCH_RESPONSE) return tag;
  uint8_t cancel[BENCH_HEADER_BYTES] = {0};
  bench_put_be32(cancel + 4, id);
  cancel[8] = BENCH_CANCEL;
  if (reserve(wire, &wire->out, sizeof cancel) != 0) return fail(wire, "out of memory");
  memcpy(wire->out.bytes + wire->out.end, cancel, sizeof cancel);
  wire->out.end += sizeof cancel;
  return tag;
}

static int64_t resp_tag(bench_wire *wire, const uint8_t *reply, int64_t length) {
  if (reply[0] == '-') return fail(wire, "the server refused a call: %.*s", (int)length - 3, reply + 1);
  if (wire->count == 0) return fail(wire, "a reply came that nobody asked for");
  uint32_t tag = wire->waiting[wire->first];
  wire->first = (wire->first + 1) % wire->window;
  wire->count--;
  return tag;
}

int bench_wire_receive(bench_wire *wire, uint64_t deadline, uint32_t *tags, int room) {
  int ended = 0;
  for (;;) {
    int64_t length = 0;
    while (ended < room && (length = whole_message(wire)) > 0) {
      const uint8_t *message = wire->in.bytes + wire->in.begin;
      int64_t tag = wire->framing == BENCH_RESP ? resp_tag(wire, message, length) : ttrpc_tag(wire, message, length);
      if (tag == -1) return -1;
      wire->in.begin += (size_t)length;
      if (tag >= 0) tags[ended++] = (uint32_t)tag;
    }
    if (length < 0) return fail(wire, "the server's reply cannot be understood");
    if (wire->in.begin == wire->in.end) wire->in.begin = wire->in.end = 0;
    if (ended > 0) return ended;
    int came = fill(wire, deadline);
    if (came <= 0) return came;
  }
}

int64_t bench_wire_message(bench_wire *wire, uint64_t deadline, const uint8_t **message) {
  for (;;) {
    int64_t length = whole_message(wire);
    if (length < 0) return fail(wire, "the server's message cannot be understood");
    if (length > 0) {
      *message = wire->in.bytes + wire->in.begin;
      wire->in.begin += (size_t)length;
      return length;
    }
    int came = fill(wire, deadline);
    if (came <= 0) return came;
  }
}
