// Loaded into a program with LD_PRELOAD: adds an offset to the time of day that the program reads.
// The offset, in milliseconds, stands in a file that is mapped into memory, so that it can change while the program runs.
// The system is asked directly: looking up the functions of the C library may allocate, and an allocator may ask for the time.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset_ms;

__attribute__((constructor)) static void map_offset(void) {
  const char *path = getenv("Q_CLOCK_OFFSET_FILE");
  int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void *mapped = mmap(NULL, sizeof(*offset_ms), PROT_READ, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) offset_ms = mapped;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = (int)syscall(SYS_clock_gettime, clock, now);
  if (result != 0 || offset_ms == NULL || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return result;
  int64_t ns = now->tv_nsec + *offset_ms * 1000000;
  now->tv_sec += ns / 1000000000;
  now->tv_nsec = ns % 1000000000;
  if (now->tv_nsec < 0) {
    now->tv_sec -= 1;
    now->tv_nsec += 1000000000;
  }
  return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec precise;
  int result = clock_gettime(CLOCK_REALTIME, &precise);
  if (result == 0) *now = (struct timeval){precise.tv_sec, precise.tv_nsec / 1000};
  return result;
}

time_t time(time_t *result) {
  struct timespec precise;
  if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
  if (result != NULL) *result = precise.tv_sec;
  return precise.tv_sec;
}
