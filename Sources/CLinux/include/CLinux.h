// Linux calls that Swift's Glibc module does not import, or imports in a form that reads badly.
//
// Nearly all in this header: each function is the system call, nothing else, so that it inlines into Swift. Errors are
// errno's.
#ifndef TWIND_CSYSTEM_H
#define TWIND_CSYSTEM_H

// _GNU_SOURCE stays undefined: with it the C library's types differ from those that Swift's Glibc module knows.
#include "CRC32C.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// Epoll events as plain integers.
static const uint32_t twind_readable = EPOLLIN | EPOLLRDHUP;
static const uint32_t twind_input = EPOLLIN;
// The peer will send no more.
static const uint32_t twind_ended = EPOLLRDHUP | EPOLLHUP;
// Tells of each arrival once, not for as long as there is something to read.
static const uint32_t twind_once = EPOLLET;
static const uint32_t twind_writable = EPOLLOUT;
static const uint32_t twind_hung_up = EPOLLERR | EPOLLHUP;

static inline int twind_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int twind_epoll_set(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data = {.u64 = token}};
  return epoll_ctl(epoll, operation, fd, &event);
}

static inline uint32_t twind_epoll_events(const struct epoll_event *event) { return event->events; }
static inline uint64_t twind_epoll_token(const struct epoll_event *event) { return event->data.u64; }

static inline int twind_eventfd_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// Opens what is closed of the descriptors 0 to 2, so that no socket or file gets such a number and is then taken for
// standard input, output or error. They fail as closed ones do: the first cannot be read, the others cannot be written.
static inline void twind_fill_standard_descriptors(void) {
  for (int fd = 0; fd <= 2; fd++) {
    if (fcntl(fd, F_GETFD) < 0) (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
  }
}

// A close-on-exec stream socket of the Unix domain; non-blocking when asked.
static inline int twind_unix_socket(int nonblocking) {
  return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), 0);
}

// lseek with SEEK_DATA and SEEK_HOLE: the first place at or after the offset that is no hole, or is one. They move a
// position that pread and pwrite do not use.
static inline int64_t twind_seek_data(int fd, int64_t offset) { return lseek(fd, offset, 3); }
static inline int64_t twind_seek_hole(int fd, int64_t offset) { return lseek(fd, offset, 4); }

extern int accept4(int, struct sockaddr *, socklen_t *, int);

static inline int twind_accept(int listener) {
  return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static inline int twind_socket_pair(int fds[2]) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
}

// Bytes that fit into sun_path with its NUL.
static const size_t twind_socket_path_bytes_max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

static inline struct sockaddr_un twind_unix_address(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
  return address;
}

static inline int twind_bind(int fd, const char *path) {
  struct sockaddr_un address = twind_unix_address(path);
  return bind(fd, (const struct sockaddr *)&address, sizeof(address));
}

static inline int twind_connect(int fd, const char *path) {
  struct sockaddr_un address = twind_unix_address(path);
  return connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

// Who is at the other end. The pid is of the moment of connecting and proves nothing: it is left out.
static inline int twind_peer_credentials(int fd, uid_t *uid, gid_t *gid) {
  struct {
    pid_t pid;
    uid_t uid;
    gid_t gid;
  } credentials;
  socklen_t size = sizeof(credentials);
  int result = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
  if (result == 0) {
    *uid = credentials.uid;
    *gid = credentials.gid;
  }
  return result;
}

// The three calls that every message takes are made directly: the C library's own are points where a thread can be
// cancelled, which takes two atomic operations each time.
extern long syscall(long, ...);

// Sends without SIGPIPE.
static inline ssize_t twind_send(int fd, const void *bytes, size_t count) {
  return syscall(SYS_sendto, fd, bytes, count, MSG_NOSIGNAL, NULL, (socklen_t)0);
}

// Receives what there is, at most `count` bytes. Of a socket it costs less than read does, above all when there is nothing.
static inline ssize_t twind_receive(int fd, void *bytes, size_t count) {
  return syscall(SYS_recvfrom, fd, bytes, count, 0, NULL, NULL);
}

// Waits for events, at most `millis`; -1 = for ever.
static inline int twind_epoll_wait(int epoll, struct epoll_event *events, int count, int millis) {
  return (int)syscall(SYS_epoll_pwait, epoll, events, count, millis, NULL, (size_t)0);
}

// Nanoseconds of a clock that only goes forward.
static inline uint64_t twind_monotonic_nanos(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// The same, and it goes on while the machine is suspended.
static inline uint64_t twind_boot_nanos(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// The processor's time that this thread has had, in nanoseconds. A system call.
static inline uint64_t twind_thread_nanos(void) {
  struct timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

// Microseconds since the Unix epoch.
static inline int64_t twind_wall_micros(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

// Gives memory that was freed back to the system. Takes milliseconds when there is much of it.
static inline int twind_trim_memory(void) { return malloc_trim(0); }

// The allocator gives blocks of this many bytes and more back to the system when they are freed, always. By itself
// it stops doing so for blocks as large as the largest freed so far, and keeps what one large peer made it take.
static inline int twind_return_blocks_from(int bytes) {
  return mallopt(M_MMAP_THRESHOLD, bytes) && mallopt(M_TRIM_THRESHOLD, bytes);
}

// Between two looks at something that another core is about to change.
static inline void twind_cpu_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

// Has these bytes fetched into the processor's cache, without waiting for them. Any address will do.
static inline void twind_prefetch(const void *start, size_t bytes) {
  for (size_t offset = 0; offset < bytes; offset += 64) __builtin_prefetch((const char *)start + offset);
}

extern int pthread_setname_np(pthread_t, const char *);

// Names the calling thread, at most 15 bytes.
static inline int twind_name_thread(const char *name) { return pthread_setname_np(pthread_self(), name); }

// Asks for time slices of that length, 100 µs to 100 ms. A thread that is woken goes at once before one with longer slices,
// and none gets more time in all. Linux 6.12 and later; others know no such thing, and nothing changes.
static inline int twind_set_slices(uint64_t nanos) {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attributes = {.size = 48, .policy = SCHED_OTHER, .nice = getpriority(PRIO_PROCESS, 0), .runtime = nanos};
  return (int)syscall(SYS_sched_setattr, 0, &attributes, 0u);
}

// Changes the niceness of the calling thread alone: Linux has one for each thread.
static inline int twind_renice_thread(int niceness) { return setpriority(PRIO_PROCESS, 0, niceness); }

// Locks a file for this process alone, at once or not at all.
static inline int twind_lock_file(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }

// Which process this is: a forked child has another number than its parent. One load.
extern uint32_t twind_generation;
static inline uint32_t twind_process_generation(void) { return __atomic_load_n(&twind_generation, __ATOMIC_RELAXED); }

// The socket belongs to this process: in a forked child it is closed at once, without a word to the other end. If it
// stayed open there, the other end would not notice that this process has ended.
void twind_own_socket(int fd);
// Closes such a socket.
void twind_close_own_socket(int fd);

// From here on a crash prints `name`, the signal and the addresses of the functions that were under way, and ends the
// process by the same signal. No register and no memory is printed: they may hold what a caller stored.
void twind_report_crashes(const char *name);

#endif
