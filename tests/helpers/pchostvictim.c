// A process of the host that must not be seen, signalled, read or traced: it has a secret in its
// environment and its memory, a secret file open, and writes a file when a signal arrives. Around it a
// crowd, so that whoever sees the host's processes counts many.
//
// usage: pchostvictim SECRET-FILE SIGNAL-MARKER CROWD
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const char *marker;
volatile char secret_in_memory[] = "PCSECRET-in-memory";

static void mark(int signal) {
  int fd = open(marker, O_CREAT | O_WRONLY | O_APPEND, 0666);
  dprintf(fd, "%d\n", signal);
  close(fd);
}

int main(int argc, char **argv) {
  if (argc < 4) return 64;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  marker = argv[2];
  int secret = open(argv[1], O_RDONLY);
  if (secret < 0) return 66;
  for (int i = atoi(argv[3]); i > 0; i--) {
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) pause();
    }
  }
  signal(SIGCONT, mark);
  signal(SIGUSR1, mark);
  signal(SIGCHLD, SIG_IGN);
  printf("ready\n");
  fflush(stdout);
  for (;;) pause();
}
