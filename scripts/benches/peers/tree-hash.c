// The tree hash in C: enumerate, sort by path bytes, hash in N threads with OpenSSL, hash the lines.
// With `read` the same, but without hashing the files: what no program that reads them can be quicker than.
// usage: tree-hash FOLDER THREADS [read]          built with: cc -O2 -o tree-hash tree-hash.c -lcrypto -lpthread
#define _GNU_SOURCE
#define OPENSSL_SUPPRESS_DEPRECATED
#include <dirent.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 262144, CLAIM = 16 };

typedef struct {
  char *path;
  const char *mode;
  unsigned char digest[32];
} Entry;

static Entry *entries;
static size_t count, room;
static atomic_size_t next_entry;
static int only_read;

static void to_hex(const unsigned char *bytes, char *hex) {
  for (int i = 0; i < 32; i++) {
    hex[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
    hex[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
  }
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void add(const char *path, const char *mode) {
  if (count == room) {
    room = room ? room * 2 : 1024;
    entries = realloc(entries, room * sizeof *entries);
    if (!entries) fail("memory");
  }
  entries[count].path = strdup(path);
  entries[count++].mode = mode;
}

static void list(char *path, size_t length) {
  DIR *folder = opendir(length ? path : ".");
  if (!folder) fail(path);
  for (struct dirent *found; (found = readdir(folder));) {
    const char *name = found->d_name;
    if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
    size_t part = strlen(name);
    if (length + part + 2 > 4096) fail("path too long");
    memcpy(path + length, name, part + 1);
    if (found->d_type == DT_DIR) {
      memcpy(path + length + part, "/", 2);
      list(path, length + part + 1);
    } else if (found->d_type == DT_REG || found->d_type == DT_LNK) {
      add(path, found->d_type == DT_LNK ? "120000" : NULL);
    }
    path[length] = 0;
  }
  closedir(folder);
}

static int by_path(const void *a, const void *b) {
  return strcmp(((const Entry *)a)->path, ((const Entry *)b)->path);
}

static void hash_entry(Entry *entry, unsigned char *buffer) {
  if (entry->mode) {
    ssize_t length = readlink(entry->path, (char *)buffer, BUFFER);
    if (length < 0) fail(entry->path);
    SHA256(buffer, (size_t)length, entry->digest);
    return;
  }
  int file = open(entry->path, O_RDONLY | O_NOFOLLOW);
  struct stat status;
  if (file < 0 || fstat(file, &status)) fail(entry->path);
  entry->mode = status.st_mode & 0100 ? "100755" : "100644";
  SHA256_CTX context;
  SHA256_Init(&context);
  off_t left = status.st_size;
  while (left > 0) {
    ssize_t length = read(file, buffer, BUFFER);
    if (length <= 0) fail(entry->path);
    if (!only_read) SHA256_Update(&context, buffer, (size_t)length);
    left -= length;
  }
  SHA256_Final(entry->digest, &context);
  close(file);
}

static void *work(void *unused) {
  unsigned char *buffer = malloc(BUFFER);
  if (!buffer) fail("memory");
  for (;;) {
    size_t first = atomic_fetch_add(&next_entry, CLAIM);
    if (first >= count) break;
    for (size_t i = first; i < count && i < first + CLAIM; i++) hash_entry(&entries[i], buffer);
  }
  free(buffer);
  return unused;
}

int main(int argc, char **argv) {
  if (argc != 3 && argc != 4) return 2;
  only_read = argc == 4 && !strcmp(argv[3], "read");
  if (chdir(argv[1])) fail(argv[1]);
  char path[4096] = "";
  list(path, 0);
  qsort(entries, count, sizeof *entries, by_path);
  int threads = atoi(argv[2]);
  pthread_t others[64];
  for (int i = 1; i < threads && i < 64; i++) pthread_create(&others[i], NULL, work, NULL);
  work(NULL);
  for (int i = 1; i < threads && i < 64; i++) pthread_join(others[i], NULL);
  char hex[65] = "";
  SHA256_CTX total;
  SHA256_Init(&total);
  for (size_t i = 0; i < count; i++) {
    to_hex(entries[i].digest, hex);
    if (i) SHA256_Update(&total, "\n", 1);
    SHA256_Update(&total, entries[i].path, strlen(entries[i].path) + 1);
    SHA256_Update(&total, entries[i].mode, 7);
    SHA256_Update(&total, hex, 64);
  }
  unsigned char digest[32];
  SHA256_Final(digest, &total);
  to_hex(digest, hex);
  puts(hex);
  return 0;
}
