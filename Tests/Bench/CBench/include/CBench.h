// The C half of twinbench: a lean client of framed protocols, the echo server that is the floor of every comparison,
// SQLite's read, and the Linux calls that a load generator needs.
//
// Called by Sources/twinbench alone. A function that fails returns a negative number, or NULL, and says why in the
// text that its comment names.
#ifndef TWIND_CBENCH_H
#define TWIND_CBENCH_H

#include <stddef.h>
#include <stdint.h>

// How the end of a reply is found.
typedef enum {
  BENCH_TTRPC,  // ten bytes of header with the length; replies in any order
  BENCH_RESP,   // Redis's RESP2; replies in the order of the requests
} bench_framing;

// One connection. Replies are found, matched and checked for errors, and not decoded: the same work for each protocol.
typedef struct bench_wire bench_wire;

// Connects to a Unix socket. `window` calls may be in flight. A polling client spins instead of sleeping. NULL on
// failure, with errno.
bench_wire *bench_wire_open(const char *path, bench_framing framing, uint32_t window, int polling);
void bench_wire_close(bench_wire *wire);

// What went wrong, after a function returned a negative number; "" before.
const char *bench_wire_problem(const bench_wire *wire);
int bench_wire_fd(const bench_wire *wire);

// Adds a request to what `flush` sends. The tag, below the window and not in flight, comes back with the reply. A
// ttrpc request is a whole frame whose stream id is filled in here; RESP is sent as it is. With `stream` the first
// data frame ends the call, and a cancel frame follows it.
int bench_wire_begin(bench_wire *wire, const void *request, size_t bytes, uint32_t tag, int stream);

// Sends everything begun.
int bench_wire_flush(bench_wire *wire);

// Waits for replies until the deadline on the monotonic clock (UINT64_MAX = for ever, 0 = not at all) and writes the
// tags of at most `room` calls that ended. Returns how many.
int bench_wire_receive(bench_wire *wire, uint64_t deadline_nanos, uint32_t *tags, int room);

// Waits for one message of any kind, for subscriptions: sets where its bytes are until the next call, and returns
// their count; 0 at the deadline.
int64_t bench_wire_message(bench_wire *wire, uint64_t deadline_nanos, const uint8_t **message);

// Serves until SIGTERM: answers every ttrpc frame on the socket with a response frame of `reply_bytes` behind its
// header, in one thread on epoll. Polling: spins for a millisecond after the last request before it sleeps. Returns
// -1 with errno when it cannot begin.
int bench_echo_serve(const char *path, size_t reply_bytes, int polling);

// A SQLite database of keys and values in WAL mode, with one prepared SELECT.
typedef struct bench_sqlite bench_sqlite;

// NULL on failure; `problem` has room for 256 bytes.
bench_sqlite *bench_sqlite_open(const char *path, char *problem);
int bench_sqlite_fill(bench_sqlite *database, uint32_t keys, const void *value, size_t bytes);
// Copies the value of a key out; returns its length.
int64_t bench_sqlite_read(bench_sqlite *database, uint32_t key, void *value, size_t room);
// Opens the database at a path and copies every value; returns how many there were.
int64_t bench_sqlite_scan(const char *path);
const char *bench_sqlite_version(void);
void bench_sqlite_close(bench_sqlite *database);

// A thread of any process (0 = the calling one) runs on this core alone from now on. errno's number, or 0.
int bench_pin_thread(int thread, int core);
// Timers of the calling thread are exact to the nanosecond instead of 50 microseconds.
void bench_sharpen_timers(void);
// Sleeps until a moment on the monotonic clock.
void bench_sleep_until(uint64_t nanos);
// Allows as many open files as the system lets this process have; returns that many.
uint64_t bench_raise_open_files(void);
// Readiness of many connections: waits until the deadline and writes the tokens of those that can be read.
int bench_epoll_wait(int epoll, uint64_t deadline_nanos, uint64_t *tokens, int room);

// The moment in "stamp:" and 16 hex digits somewhere in the bytes; 0 when there is none.
uint64_t bench_stamp(const uint8_t *bytes, size_t count);

#endif
