// SQLite in this process: one prepared SELECT by key.

#include "CBench.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench_sqlite {
  sqlite3 *connection;
  sqlite3_stmt *select;
};

static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456;"
    "CREATE TABLE twins (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;";

// The same names as twind's twins have.
static void bind_key(sqlite3_stmt *statement, uint32_t key) {
  char name[64];
  int count = snprintf(name, sizeof name, "twinbench/customer/%u", key);
  sqlite3_bind_text(statement, 1, name, count, SQLITE_TRANSIENT);
}

bench_sqlite *bench_sqlite_open(const char *path, char *problem) {
  bench_sqlite *database = calloc(1, sizeof *database);
  if (!database) return NULL;
  int failed = sqlite3_open(path, &database->connection);
  if (!failed) failed = sqlite3_exec(database->connection, schema, NULL, NULL, NULL);
  if (!failed) {
    failed = sqlite3_prepare_v3(database->connection, "SELECT value FROM twins WHERE key = ?", -1,
                                SQLITE_PREPARE_PERSISTENT, &database->select, NULL);
  }
  if (!failed) return database;
  snprintf(problem, 256, "%s", sqlite3_errmsg(database->connection));
  bench_sqlite_close(database);
  return NULL;
}

int bench_sqlite_fill(bench_sqlite *database, uint32_t keys, const void *value, size_t bytes) {
  sqlite3_stmt *insert;
  if (sqlite3_exec(database->connection, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) return -1;
  if (sqlite3_prepare_v2(database->connection, "INSERT INTO twins VALUES (?, ?)", -1, &insert, NULL) != SQLITE_OK) {
    return -1;
  }
  int failed = 0;
  for (uint32_t key = 0; key < keys && !failed; key++) {
    bind_key(insert, key);
    sqlite3_bind_blob(insert, 2, value, (int)bytes, SQLITE_STATIC);
    failed = sqlite3_step(insert) != SQLITE_DONE;
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  return failed || sqlite3_exec(database->connection, "COMMIT", NULL, NULL, NULL) != SQLITE_OK ? -1 : 0;
}

int64_t bench_sqlite_read(bench_sqlite *database, uint32_t key, void *value, size_t room) {
  bind_key(database->select, key);
  int64_t count = -1;
  if (sqlite3_step(database->select) == SQLITE_ROW) {
    count = sqlite3_column_bytes(database->select, 0);
    memcpy(value, sqlite3_column_blob(database->select, 0), (size_t)count < room ? (size_t)count : room);
  }
  sqlite3_reset(database->select);
  return count;
}

int64_t bench_sqlite_scan(const char *path) {
  sqlite3 *connection;
  sqlite3_stmt *all = NULL;
  int64_t rows = -1;
  if (sqlite3_open_v2(path, &connection, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
      sqlite3_prepare_v2(connection, "SELECT key, value FROM twins", -1, &all, NULL) == SQLITE_OK) {
    rows = 0;
    for (; sqlite3_step(all) == SQLITE_ROW; rows++) {
      size_t count = (size_t)sqlite3_column_bytes(all, 1);
      void *copy = malloc(count ? count : 1);
      if (!copy) break;
      memcpy(copy, sqlite3_column_blob(all, 1), count);
      free(copy);
    }
  }
  sqlite3_finalize(all);
  sqlite3_close(connection);
  return rows;
}

const char *bench_sqlite_version(void) { return sqlite3_libversion(); }

void bench_sqlite_close(bench_sqlite *database) {
  if (!database) return;
  sqlite3_finalize(database->select);
  sqlite3_close(database->connection);
  free(database);
}
