// The floor: what a round trip costs when the server does nothing but read frames and write replies.

#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { IN_BYTES = 256 << 10, EVENTS = 64, SPIN_NANOS = 1000000 };

typedef struct {
  int fd;
  size_t count;
  uint8_t in[IN_BYTES];
} peer;

typedef struct {
  int listener, epoll;
  uint8_t *out, *reply;
  size_t out_room, reply_count;
} server;

static int bind_socket(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0) return -1;
  return fd;
}

static void add(server *server, int fd, void *context) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = context}};
  epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void accept_all(server *server) {
  int fd;
  while ((fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
    peer *fresh = malloc(sizeof *fresh);
    if (!fresh) abort();
    fresh->fd = fd;
    fresh->count = 0;
    add(server, fd, fresh);
  }
}

// Sends everything; the benchmark's clients read, so that waiting for one does not stop another for long.
static int send_all(int fd, const uint8_t *bytes, size_t count) {
  while (count > 0) {
    ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return -1;
    if (sent > 0) {
      bytes += sent;
      count -= (size_t)sent;
    }
  }
  return 0;
}

// Reads once and answers all whole frames in one write. 1 = something came, 0 = nothing, -1 = the peer is gone.
static int serve(server *server, peer *peer) {
  ssize_t got = recv(peer->fd, peer->in + peer->count, IN_BYTES - peer->count, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (got <= 0) return -1;
  peer->count += (size_t)got;
  size_t at = 0, out = 0;
  while (peer->count - at >= BENCH_HEADER_BYTES) {
    size_t length = (size_t)bench_be32(peer->in + at) + BENCH_HEADER_BYTES;
    if (length > IN_BYTES) return -1;
    if (peer->count - at < length) break;
    if (out + server->reply_count > server->out_room) {
      if (send_all(peer->fd, server->out, out) != 0) return -1;
      out = 0;
    }
    memcpy(server->out + out, server->reply, server->reply_count);
    memcpy(server->out + out + 4, peer->in + at + 4, 4);
    out += server->reply_count;
    at += length;
  }
  peer->count -= at;
  memmove(peer->in, peer->in + at, peer->count);
  return send_all(peer->fd, server->out, out) == 0 ? 1 : -1;
}

static void drop(peer *peer) {
  close(peer->fd);
  free(peer);
}

// Spins on the peer that was heard last. Leaves when it has been silent for long, and now and then to look at others.
static peer *spin(server *server, peer *peer) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t heard = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
  for (int turn = 1;; turn++) {
    int came = serve(server, peer);
    if (came < 0) {
      drop(peer);
      return NULL;
    }
    if (came == 0) bench_pause();
    if (turn % 64 != 0) continue;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t nanos = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    if (came > 0) heard = nanos;
    if (nanos - heard > SPIN_NANOS) return NULL;
    if (turn % 4096 == 0) return peer;
  }
}

int bench_echo_serve(const char *path, size_t reply_bytes, int polling) {
  signal(SIGTERM, SIG_DFL);
  server server = {.out_room = 1 << 20, .reply_count = reply_bytes + BENCH_HEADER_BYTES};
  if (server.reply_count > server.out_room) server.out_room = server.reply_count;
  server.listener = bind_socket(path);
  server.epoll = epoll_create1(EPOLL_CLOEXEC);
  server.out = malloc(server.out_room);
  server.reply = calloc(1, server.reply_count);
  if (server.listener < 0 || server.epoll < 0 || !server.out || !server.reply) return -1;
  bench_put_be32(server.reply, (uint32_t)reply_bytes);
  server.reply[8] = BENCH_RESPONSE;
  // As a response with a payload begins.
  if (reply_bytes > 0) server.reply[10] = 0x12;
  add(&server, server.listener, NULL);
  struct epoll_event events[EVENTS];
  for (peer *last = NULL;;) {
    int count = epoll_wait(server.epoll, events, EVENTS, last ? 0 : -1);
    for (int index = 0; index < count; index++) {
      peer *peer = events[index].data.ptr;
      if (!peer) {
        accept_all(&server);
      } else if (serve(&server, peer) < 0) {
        if (last == peer) last = NULL;
        drop(peer);
      } else if (polling) {
        last = peer;
      }
    }
    if (last) last = spin(&server, last);
  }
}
