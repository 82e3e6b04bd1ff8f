// What no program can be quicker than: the bytes of a file read, as many bytes hashed in memory, waits for the disk.
// usage: limits read FILE | limits sha256 BYTES THREADS | limits fdatasync FILE COUNT
// built with: cc -O2 -o limits limits.c -lcrypto -lpthread
#define _GNU_SOURCE
#define OPENSSL_SUPPRESS_DEPRECATED
#include <fcntl.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 262144, BLOCK = 4096 };

static long long share;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void read_all(const char *path) {
  char *buffer = malloc(BUFFER);
  int file = open(path, O_RDONLY);
  if (!buffer || file < 0) fail(path);
  ssize_t length;
  while ((length = read(file, buffer, BUFFER)) > 0) continue;
  if (length < 0) fail(path);
}

static void *hash(void *unused) {
  unsigned char *buffer = calloc(1, BUFFER);
  if (!buffer) fail("memory");
  SHA256_CTX context;
  SHA256_Init(&context);
  for (long long left = share; left > 0; left -= BUFFER) {
    SHA256_Update(&context, buffer, left < BUFFER ? (size_t)left : BUFFER);
  }
  unsigned char digest[32];
  SHA256_Final(digest, &context);
  return unused;
}

static void hash_all(long long bytes, int threads) {
  pthread_t others[64];
  if (threads < 1 || threads > 64) exit(2);
  share = bytes / threads;
  for (int i = 1; i < threads; i++) pthread_create(&others[i], NULL, hash, NULL);
  hash(NULL);
  for (int i = 1; i < threads; i++) pthread_join(others[i], NULL);
}

static void sync_often(const char *path, int count) {
  char block[BLOCK] = "";
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0) fail(path);
  for (int i = 0; i < count; i++) {
    if (write(file, block, BLOCK) != BLOCK || fdatasync(file)) fail(path);
  }
}

int main(int argc, char **argv) {
  if (argc == 3 && !strcmp(argv[1], "read")) read_all(argv[2]);
  else if (argc == 4 && !strcmp(argv[1], "sha256")) hash_all(atoll(argv[2]), atoi(argv[3]));
  else if (argc == 4 && !strcmp(argv[1], "fdatasync")) sync_often(argv[2], atoi(argv[3]));
  else return 2;
  return 0;
}
