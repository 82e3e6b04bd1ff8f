// Runs a program and writes what it took: nanoseconds of wall time, microseconds of processor time, kilobytes of the
// largest resident set among the program and the children that it waited for. A small process of its own, because the
// kernel counts the memory of whoever starts a program as the program's own until it is replaced.
// usage: launch FILE PROGRAM [ARGUMENT…]          built with: cc -O2 -static -o launch launch.c
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long microseconds(struct timeval time) { return time.tv_sec * 1000000LL + time.tv_usec; }

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  long long started = nanoseconds();
  pid_t child = fork();
  if (child < 0) return 1;
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    _exit(127);
  }
  int status = 0;
  struct rusage used;
  if (wait4(child, &status, 0, &used) < 0) return 1;
  long long wall = nanoseconds() - started;
  FILE *out = fopen(argv[1], "w");
  if (!out) return 1;
  fprintf(out, "%lld %lld %ld\n", wall, microseconds(used.ru_utime) + microseconds(used.ru_stime), used.ru_maxrss);
  if (fclose(out)) return 1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
