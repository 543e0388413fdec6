// Makes a process's disk fail: preloaded (LD_PRELOAD) into twind by test_failing_disk.py.
//
// $FAILING_DISK names a control file with lines `<operation> <path part> <first> <last> <errno>`: calls number first to
// last of that operation, counted from when the line was seen, on files whose path holds the part, fail with errno.
// `*` is every path. Every call on a file with an absolute path is counted and logged in $FAILING_DISK.log, one line
// `<operation> <path> <errno>` each, with one write at the end of the file, so that lines of threads do not mix.
//
// The control file is read again whenever its time of change differs. Operations: open write sync rename unlink
// allocate.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { RULES_MAX = 16, LINE_BYTES_MAX = 512 };

struct rule {
  char operation[16], part[128];
  long first, last, count;
  int error;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rule rules[RULES_MAX];
static int rule_count;
static struct timespec seen;

// System calls of our own go past the functions below.
static void read_rules(const char *control) {
  struct stat status;
  if (syscall(SYS_newfstatat, AT_FDCWD, control, &status, 0) != 0) return;
  if (status.st_mtim.tv_sec == seen.tv_sec && status.st_mtim.tv_nsec == seen.tv_nsec) return;
  seen = status.st_mtim;
  char text[RULES_MAX * 200] = {0};
  int fd = (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  long got = syscall(SYS_read, fd, text, sizeof text - 1);
  syscall(SYS_close, fd);
  rule_count = 0;
  char *rest = text;
  for (char *line; got > 0 && rule_count < RULES_MAX && (line = strsep(&rest, "\n"));) {
    struct rule rule = {0};
    if (sscanf(line, "%15s %127s %ld %ld %d", rule.operation, rule.part, &rule.first, &rule.last, &rule.error) == 5)
      rules[rule_count++] = rule;
  }
}

static void note(const char *control, const char *operation, const char *path, int error) {
  char name[LINE_BYTES_MAX], line[LINE_BYTES_MAX];
  snprintf(name, sizeof name, "%s.log", control);
  int length = snprintf(line, sizeof line, "%s %s %d\n", operation, path, error);
  int fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  syscall(SYS_write, fd, line, (size_t)length);
  syscall(SYS_close, fd);
}

// The error with which this call is to fail; 0 = it is let through.
static int judge(const char *operation, const char *path) {
  const char *control = getenv("FAILING_DISK");
  if (!control || path[0] != '/' || !strncmp(path, "/proc/", 6) || !strncmp(path, "/dev/", 5)) return 0;
  int kept = errno, error = 0;
  pthread_mutex_lock(&lock);
  read_rules(control);
  for (int i = 0; i < rule_count; i++) {
    struct rule *rule = &rules[i];
    if (strcmp(rule->operation, operation) || (strcmp(rule->part, "*") && !strstr(path, rule->part))) continue;
    rule->count++;
    if (!error && rule->count >= rule->first && rule->count <= rule->last) error = rule->error;
  }
  note(control, operation, path, error);
  pthread_mutex_unlock(&lock);
  errno = kept;
  return error;
}

static int judge_file(const char *operation, int fd) {
  char link[64], path[LINE_BYTES_MAX];
  int kept = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  errno = kept;
  if (length <= 0) return 0;
  path[length] = 0;
  return judge(operation, path);
}

static void *next(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

#define FAIL_IF(judgement, value) \
  do { \
    int error_ = (judgement); \
    if (error_) { \
      errno = error_; \
      return (value); \
    } \
  } while (0)

#define NEXT(type, name) \
  static type real; \
  if (!real) real = (type)next(name)

typedef ssize_t (*write_fn)(int, const void *, size_t);
ssize_t write(int fd, const void *bytes, size_t count) {
  NEXT(write_fn, "write");
  FAIL_IF(judge_file("write", fd), -1);
  return real(fd, bytes, count);
}

typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  NEXT(pwrite_fn, "pwrite");
  FAIL_IF(judge_file("write", fd), -1);
  return real(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  NEXT(pwrite_fn, "pwrite64");
  FAIL_IF(judge_file("write", fd), -1);
  return real(fd, bytes, count, offset);
}

typedef int (*sync_fn)(int);
int fsync(int fd) {
  NEXT(sync_fn, "fsync");
  FAIL_IF(judge_file("sync", fd), -1);
  return real(fd);
}

int fdatasync(int fd) {
  NEXT(sync_fn, "fdatasync");
  FAIL_IF(judge_file("sync", fd), -1);
  return real(fd);
}

typedef int (*rename_fn)(const char *, const char *);
int rename(const char *from, const char *to) {
  NEXT(rename_fn, "rename");
  FAIL_IF(judge("rename", to), -1);
  return real(from, to);
}

typedef int (*unlink_fn)(const char *);
int unlink(const char *path) {
  NEXT(unlink_fn, "unlink");
  FAIL_IF(judge("unlink", path), -1);
  return real(path);
}

// This one returns its error.
typedef int (*allocate_fn)(int, off_t, off_t);
int posix_fallocate(int fd, off_t offset, off_t length) {
  NEXT(allocate_fn, "posix_fallocate");
  int error = judge_file("allocate", fd);
  return error ? error : real(fd, offset, length);
}

int posix_fallocate64(int fd, off64_t offset, off64_t length) {
  NEXT(allocate_fn, "posix_fallocate64");
  int error = judge_file("allocate", fd);
  return error ? error : real(fd, offset, length);
}

typedef int (*open_fn)(const char *, int, ...);
#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    NEXT(open_fn, #name); \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
      va_list arguments; \
      va_start(arguments, flags); \
      mode = va_arg(arguments, mode_t); \
      va_end(arguments); \
    } \
    FAIL_IF(judge("open", path), -1); \
    return real(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)
