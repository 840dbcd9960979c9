// Plants what only system calls can: addresses on the loopback of this network namespace, a shared
// memory segment and a message queue anyone may read. Prints what it could not.
//
// usage: plant ADDRESS...
#include <arpa/inet.h>
#include <fcntl.h>
#include <mqueue.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/socket.h>

static void loopback(char **addresses) {
  int socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct ifreq request;
  memset(&request, 0, sizeof request);
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (ioctl(socket_fd, SIOCSIFFLAGS, &request) != 0) perror("loopback");
  for (int i = 0; addresses[i]; i++) {
    memset(&request, 0, sizeof request);
    snprintf(request.ifr_name, sizeof request.ifr_name, "lo:%d", i + 1);
    struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
    address->sin_family = AF_INET;
    inet_pton(AF_INET, addresses[i], &address->sin_addr);
    if (ioctl(socket_fd, SIOCSIFADDR, &request) != 0) perror(addresses[i]);
    inet_pton(AF_INET, "255.255.255.255", &address->sin_addr);
    if (ioctl(socket_fd, SIOCSIFNETMASK, &request) != 0) perror(addresses[i]);
  }
}

int main(int argc, char **argv) {
  (void)argc;
  loopback(argv + 1);
  if (shmget(0xbeef, 4096, IPC_CREAT | 0666) < 0) perror("shared memory");
  int queue = msgget(0xbeef, IPC_CREAT | 0666);
  struct {
    long type;
    char text[9];
  } message = {1, "PCSECRET"};
  if (queue < 0 || msgsnd(queue, &message, sizeof message.text, IPC_NOWAIT) != 0) perror("queue");
  if (mq_open("/pcmq", O_CREAT | O_RDWR, 0666, NULL) < 0) perror("posix queue");
  return 0;
}
