// Runs a command with everything a careless caller leaves lying around: a session keyring with a
// secret key, an open directory and an open file, a controlling terminal. Relays how it ends.
//
// usage: carrier UID HOME COMMAND...
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave_keyring(void) {
  syscall(SYS_keyctl, 1 /* JOIN_SESSION_KEYRING */, NULL);
  long key = syscall(SYS_add_key, "user", "pckey", "PCSECRET", 8, -3 /* session */);
  if (key > 0) syscall(SYS_keyctl, 5 /* SETPERM */, key, 0x3f3f3f3f);
}

static void leave_open(const char *home, const char *file, int number) {
  char path[4096];
  snprintf(path, sizeof path, "%s%s", home, file);
  int fd = open(path, O_RDONLY);
  if (fd >= 0 && fd != number) {
    dup2(fd, number);
    close(fd);
  }
}

int main(int argc, char **argv) {
  if (argc < 4) return 64;
  uid_t user = (uid_t)atoi(argv[1]);
  // Where setgroups is forbidden there is only one user, and nothing to leave.
  if (user != getuid() && (setgroups(0, NULL) != 0 || setgid(user) != 0 || setuid(user) != 0)) {
    perror("carrier: user");
    return 70;
  }
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  const char *terminal = NULL;
  if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0) terminal = ptsname(master);
  pid_t child = fork();
  if (child == 0) {
    struct rlimit processes = {500, 500}, core = {0, 0};
    setrlimit(RLIMIT_CORE, &core);
    if (user != 0) setrlimit(RLIMIT_NPROC, &processes);
    setsid();
    if (terminal) {
      int slave = open(terminal, O_RDWR);
      if (slave >= 0) {
        ioctl(slave, TIOCSCTTY, 0);
        close(slave);
      }
    }
    leave_keyring();
    leave_open(argv[2], "", 9);
    leave_open(argv[2], "/.ssh/id_rsa", 10);
    execvp(argv[3], argv + 3);
    perror("carrier: command");
    _exit(127);
  }
  int status = 0;
  char buffer[4096];
  for (;;) {
    pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) break;
    if (ended < 0 && errno != EINTR) return 70;
    struct pollfd wait = {master, POLLIN, 0};
    if (poll(&wait, 1, 5) > 0 && read(master, buffer, sizeof buffer) < 0) usleep(5000);
  }
  if (WIFSIGNALED(status)) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(WTERMSIG(status), SIG_DFL);
    raise(WTERMSIG(status));
  }
  return WEXITSTATUS(status);
}
