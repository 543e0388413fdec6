/* Watches. Each has a connection of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <twind/watch.h>
#include <unistd.h>

#include "client.h"
#include "clock.h"
#include "fault.h"
#include "frame.h"
#include "process.h"
#include "socket.h"

enum { WATCH_STREAM = 1, READ_BYTES_MIN = 32 * 1024 };

struct twind_watch {
  struct belonging belonging;
  int fd; /* -1 in a child */
  bool open;
  atomic_bool stopped;
  twind_error end; /* how it ended, if it is not open */
  struct buffer in;
  const twind_method *method;
  int64_t deadline;
  uint32_t unpack_factor;
};

static void sleep_on(int fd, short events, int64_t deadline) {
  struct pollfd polled = {.fd = fd, .events = events};
  struct timespec left;
  ppoll(&polled, 1, time_left(deadline, &left), NULL);
}

/* Sends the whole request. It waits only if the request is larger than the socket's buffer. */
static bool send_all(int fd, const struct buffer *frame, int64_t deadline, twind_error *error) {
  for (size_t sent = 0; sent < buffer_size(frame);) {
    ssize_t count = send(fd, buffer_data(frame) + sent, buffer_size(frame) - sent, MSG_NOSIGNAL);
    if (count >= 0) {
      sent += (size_t)count;
    } else if (errno == EAGAIN && !deadline_passed(deadline)) {
      sleep_on(fd, POLLOUT, deadline);
    } else if (errno == EAGAIN) {
      fault(error, TWIND_DEADLINE_EXCEEDED, "the daemon did not read the request in time");
      return false;
    } else if (errno != EINTR) {
      fault(error, TWIND_UNAVAILABLE, "the daemon closed the connection before it read the request");
      return false;
    }
  }
  return true;
}

static int connect_and_send(const twind_client *client, const struct buffer *frame, int64_t deadline,
                            twind_error *error) {
  int fd = socket_connect(client->path, deadline, error);
  if (fd < 0 || send_all(fd, frame, deadline, error)) return fd;
  close(fd);
  return -1;
}

static void enter_child(struct belonging *self) {
  twind_watch *watch = CONTAINER_OF(self, twind_watch, belonging);
  if (watch->fd >= 0) close(watch->fd); /* no shutdown(): the parent still uses it */
  watch->fd = -1;
}

static bool may_watch(const twind_method *method, int64_t timeout_nanos, twind_error *error) {
  if (method->shape == TWIND_UNARY)
    fault(error, TWIND_INVALID_ARGUMENT, "%s does not return a stream: use twind_invoke", method->name);
  else if (method->shape != TWIND_SERVER_STREAM)
    fault(error, TWIND_INVALID_ARGUMENT, "%s takes a stream of requests: this library has no call for it", method->name);
  else if (timeout_nanos < 0)
    fault(error, TWIND_DEADLINE_EXCEEDED, "%s was not sent: its timeout is negative", method->name);
  else
    return true;
  return false;
}

twind_watch *twind_watch_start(twind_client *client, const twind_method *method, const ProtobufCMessage *request,
                               const twind_call_options *options, twind_error *error) {
  bool stated = options && options->timeout_micros;
  int64_t timeout = saturating_nanos(stated ? options->timeout_micros : TWIND_NO_TIMEOUT);
  if (!may_watch(method, timeout, error)) return NULL;
  struct buffer frame = {0};
  struct envelope envelope = client_envelope(client, method, request, options, timeout);
  int64_t deadline = deadline_after(timeout);
  int fd = -1;
  if (envelope_write_request(&envelope, &frame, error)) {
    frame_set_stream(buffer_data(&frame), WATCH_STREAM);
    fd = connect_and_send(client, &frame, earlier(deadline, deadline_after(client->connect_nanos)), error);
  }
  buffer_free(&frame);
  if (fd < 0) return NULL;
  twind_watch *watch = calloc(1, sizeof *watch);
  if (!watch) {
    close(fd);
    fault(error, TWIND_RESOURCE_EXHAUSTED, "out of memory for a watch");
    return NULL;
  }
  watch->fd = fd;
  watch->open = true;
  watch->method = method;
  watch->deadline = deadline;
  watch->unpack_factor = client->unpack_factor;
  belonging_add(&watch->belonging, enter_child);
  fault_none(error);
  return watch;
}

int twind_watch_fd(const twind_watch *watch) { return watch->fd; }
bool twind_watch_open(const twind_watch *watch) { return watch->open; }

/* A response frame ends the stream, with an error status or with a last message unless it is empty. */
static void *take_response(twind_watch *watch, const struct frame *frame) {
  watch->open = false;
  ProtobufCMessage *message =
      envelope_read_response(watch->method, frame->payload, frame->length, watch->unpack_factor, &watch->end);
  if (!message || protobuf_c_message_get_packed_size(message) > 0) return message;
  twind_free(message);
  return NULL;
}

static void *take_data(twind_watch *watch, const struct frame *frame) {
  void *message = NULL;
  if (frame->flags & FRAME_REMOTE_CLOSED) watch->open = false;
  if (!(frame->flags & FRAME_NO_DATA)) {
    message = envelope_read_message(watch->method, frame->payload, frame->length, watch->unpack_factor, &watch->end);
    if (!message) watch->open = false;
  } else if (frame->length > 0) {
    watch->open = false;
    fault(&watch->end, TWIND_INTERNAL, "the daemon sent %u bytes in a frame that is marked as having no data",
          frame->length);
  }
  return message;
}

static void *take_frame(twind_watch *watch, const struct frame *frame) {
  if (frame->stream != WATCH_STREAM) return NULL;
  if (frame->type == FRAME_RESPONSE) return take_response(watch, frame);
  if (frame->type == FRAME_DATA) return take_data(watch, frame);
  return NULL;
}

static void end_watch(twind_watch *watch, int code, const char *why) {
  watch->open = false;
  fault(&watch->end, code, "%s: %s", watch->method->name, why);
}

/* True if it read any bytes. */
static bool read_more(twind_watch *watch) {
  struct buffer *in = &watch->in;
  if (!buffer_reserve(in, READ_BYTES_MIN)) {
    end_watch(watch, TWIND_RESOURCE_EXHAUSTED, "out of memory for a message");
    return false;
  }
  ssize_t count = recv(watch->fd, in->bytes + in->end, in->capacity - in->end, 0);
  if (count > 0)
    in->end += (size_t)count;
  else if (count == 0)
    end_watch(watch, TWIND_UNAVAILABLE, "the daemon closed the connection");
  else if (errno != EAGAIN && errno != EINTR)
    end_watch(watch, TWIND_UNAVAILABLE, "the connection broke");
  return count > 0;
}

/* Returns the next buffered message, skipping frames that hold none. */
static void *take_buffered(twind_watch *watch) {
  struct frame frame;
  while (watch->open) {
    switch (frame_peek(&watch->in, &frame)) {
      case FRAME_PARTIAL:
        return NULL;
      case FRAME_TOO_LARGE:
        end_watch(watch, TWIND_UNAVAILABLE, "the daemon sent a frame above 4 MiB");
        return NULL;
      case FRAME_WHOLE: {
        void *message = take_frame(watch, &frame);
        frame_consume(&watch->in, &frame);
        if (message) return message;
      }
    }
  }
  return NULL;
}

static const char foreign[] = "this stream was opened by the parent process: open another one in this process";

void *twind_watch_next(twind_watch *watch, twind_error *error) {
  fault_none(error);
  if (watch->open && watch->fd < 0) end_watch(watch, TWIND_FAILED_PRECONDITION, foreign);
  if (watch->open && atomic_load(&watch->stopped)) end_watch(watch, TWIND_CANCELLED, "the watch was stopped");
  if (watch->open && deadline_passed(watch->deadline))
    end_watch(watch, TWIND_DEADLINE_EXCEEDED, "the watch's timeout has expired");
  void *message = take_buffered(watch);
  /* Reads at most once, so that a flood of frames without messages cannot block the caller. */
  if (!message && watch->open && read_more(watch)) message = take_buffered(watch);
  if (!message && !watch->open && error) *error = watch->end;
  return message;
}

void *twind_watch_wait(twind_watch *watch, int64_t timeout_micros, twind_error *error) {
  int64_t deadline = deadline_after(saturating_nanos(timeout_micros));
  for (;;) {
    void *message = twind_watch_next(watch, error);
    if (message || !watch->open || deadline_passed(deadline)) return message;
    sleep_on(watch->fd, POLLIN, earlier(deadline, watch->deadline));
  }
}

int twind_watch_run(twind_watch *watch, twind_watch_callback callback, void *context, twind_error *error) {
  twind_error end;
  bool more = true;
  void *message;
  while (more && (message = twind_watch_wait(watch, TWIND_NO_TIMEOUT, &end))) {
    more = callback(message, context);
    twind_free(message);
  }
  if (error) *error = end;
  return end.code;
}

void twind_watch_stop(twind_watch *watch) {
  atomic_store(&watch->stopped, true);
  if (watch->fd >= 0) shutdown(watch->fd, SHUT_RDWR);
}

void twind_watch_close(twind_watch *watch) {
  if (!watch) return;
  belonging_remove(&watch->belonging);
  if (watch->fd >= 0) close(watch->fd);
  buffer_free(&watch->in);
  free(watch);
}
