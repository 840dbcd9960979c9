// Calls open, creat, connect … with a path that another thread keeps flipping between a harmless and a
// forbidden one, and says LEAKED once the forbidden one was reached.
//
// usage: toctou open|openat|openat2|legacy HARMLESS SECRET TRIES
//        toctou create|rename|link|mkdir HARMLESS FORBIDDEN TRIES
//        toctou connect HARMLESS-SOCKET FORBIDDEN-SOCKET TRIES
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static char *harmless, *forbidden;
static char path[4096] __attribute__((aligned(4096)));
static struct sockaddr_un address;
static volatile int over;

// Byte by byte, so that every mixture of both is offered too.
static void put(volatile char *to, const char *from) {
  size_t length = strlen(from) + 1;
  for (size_t i = 0; i < length; i++) to[i] = from[i];
}

static void *flip(void *unused) {
  (void)unused;
  while (!over) {
    put(path, harmless);
    put(address.sun_path, harmless);
    put(path, forbidden);
    put(address.sun_path, forbidden);
  }
  return NULL;
}

static int has_secret(int fd) {
  char text[256];
  if (fd < 0) return 0;
  ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return 0;
  text[size] = 0;
  return strstr(text, "PCSECRET") != NULL;
}

static int reached(const char *how, const char *source) {
  struct {
    uint64_t flags, mode, resolve;
  } open_how = {0, 0, 0};
  if (!strcmp(how, "open") || !strcmp(how, "openat")) return has_secret(openat(AT_FDCWD, path, O_RDONLY));
  if (!strcmp(how, "openat2"))
    return has_secret((int)syscall(SYS_openat2, AT_FDCWD, path, &open_how, sizeof open_how));
#ifdef SYS_open
  if (!strcmp(how, "legacy")) return has_secret((int)syscall(SYS_open, path, O_RDONLY));
#endif
  if (!strcmp(how, "create")) {
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    if (fd >= 0) close(fd);
  } else if (!strcmp(how, "rename") || !strcmp(how, "link")) {
    int fd = open(source, O_CREAT | O_WRONLY, 0644);
    if (fd >= 0) close(fd);
    if (!strcmp(how, "rename")) rename(source, path);
    else link(source, path);
  } else if (!strcmp(how, "mkdir")) {
    mkdir(path, 0755);
  } else if (!strcmp(how, "connect")) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int result = connect(fd, (struct sockaddr *)&address, sizeof address);
    char name = 0;
    // The forbidden server says S as soon as it accepts.
    if (result == 0) {
      usleep(300);
      if (recv(fd, &name, 1, MSG_DONTWAIT) != 1) name = 0;
    }
    close(fd);
    return name == 'S';
  }
  struct stat found;
  int there = lstat(forbidden, &found) == 0;
  struct stat made;
  if (lstat(harmless, &made) == 0 && (unlink(harmless) != 0)) rmdir(harmless);
  return there;
}

int main(int argc, char **argv) {
  if (argc < 5) return 64;
  harmless = argv[2];
  forbidden = argv[3];
  address.sun_family = AF_UNIX;
  put(path, harmless);
  put(address.sun_path, harmless);
  char source[4200];
  snprintf(source, sizeof source, "%s.source", harmless);
  pthread_t flipper;
  pthread_create(&flipper, NULL, flip, NULL);
  long leaked = 0;
  for (long i = atol(argv[4]); i > 0 && !leaked; i--) leaked += reached(argv[1], source);
  over = 1;
  pthread_join(flipper, NULL);
  unlink(source);
  if (leaked) puts("LEAKED");
  return 0;
}
