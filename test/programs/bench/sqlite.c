/*
 * sqlite ROWS: a database in memory: ROWS inserts in one transaction, an index, a join with grouping, an update of
 * every third row, and lookups by key. Compiled together with SQLite's amalgamation.
 */
#include <stdio.h>
#include <stdlib.h>
#include "sqlite3.h"

static sqlite3 *db;

static void run(const char *sql) {
  char *message = NULL;
  if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
    fprintf(stderr, "sqlite: %s: %s\n", sql, message);
    exit(1);
  }
}

static sqlite3_stmt *prepare(const char *sql) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
    fprintf(stderr, "sqlite: %s: %s\n", sql, sqlite3_errmsg(db));
    exit(1);
  }
  return statement;
}

int main(int argc, char **argv) {
  int rows = argc > 1 ? atoi(argv[1]) : 150000;
  if (rows < 1 || sqlite3_open(":memory:", &db) != SQLITE_OK) return 1;
  run("create table item(id integer primary key, kind integer, price integer, name text)");
  run("create table kind(id integer primary key, label text)");
  run("begin");
  sqlite3_stmt *insert = prepare("insert into item(kind, price, name) values(?, ?, ?)");
  for (int i = 0; i < rows; i++) {
    char name[32];
    unsigned scattered = (unsigned)i * 2654435761u;
    snprintf(name, sizeof name, "item %08x", scattered);
    sqlite3_bind_int(insert, 1, (int)(scattered >> 24));
    sqlite3_bind_int(insert, 2, (int)(scattered % 10007));
    sqlite3_bind_text(insert, 3, name, -1, SQLITE_TRANSIENT);
    sqlite3_step(insert);
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  run("with recursive n(i) as (select 0 union all select i + 1 from n where i < 255) "
      "insert into kind select i, 'kind ' || i from n");
  run("commit");
  run("create index by_price on item(price)");
  long long sum = 0;
  sqlite3_stmt *join = prepare("select label, count(*), sum(price) from item join kind on kind.id = item.kind "
                               "group by label order by 3 desc");
  while (sqlite3_step(join) == SQLITE_ROW) sum += sqlite3_column_int64(join, 2);
  sqlite3_finalize(join);
  run("update item set price = price + 1 where id % 3 = 0");
  sqlite3_stmt *find = prepare("select sum(id) from item where price = ?");
  for (int i = 0; i < rows / 10; i++) {
    sqlite3_bind_int(find, 1, i % 10007);
    if (sqlite3_step(find) == SQLITE_ROW) sum += sqlite3_column_int64(find, 0);
    sqlite3_reset(find);
  }
  sqlite3_finalize(find);
  printf("%lld\n", sum);
  sqlite3_close(db);
  return 0;
}
