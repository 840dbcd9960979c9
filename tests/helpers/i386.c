// Reaches for a secret with the system calls of 32-bit programs, which a filter that looks at numbers
// alone takes for others: int 0x80 is usable from 64-bit code. Says LEAK when one got through.
//
// usage: i386 (reads PC_PROJ and PC_UNIX from the environment)
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __x86_64__
static long call32(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "b"(a), "c"(b), "d"(c)
                   : "memory", "r8", "r9", "r10", "r11");
  return (int)result;
}

int main(void) {
  char *low = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  const char *project = getenv("PC_PROJ"), *server = getenv("PC_UNIX");
  if (low == MAP_FAILED || !project || !server) return 64;
  snprintf(low, 4096, "%s/.env", project);
  long file = call32(5 /* open */, (long)low, 0, 0);
  if (file >= 0) {
    char text[64] = {0};
    if (read((int)file, text, sizeof text - 1) > 0 && strstr(text, "PCSECRET")) puts("LEAK open");
  }
  unsigned *words = (unsigned *)(low + 4096);
  words[0] = 1, words[1] = 1, words[2] = 0;
  long end = call32(102 /* socketcall */, 1 /* socket */, (long)words, 0);
  if (end >= 0) {
    *(unsigned short *)low = 1;
    snprintf(low + 2, 106, "%s", server);
    words[0] = (unsigned)end, words[1] = (unsigned)(long)low, words[2] = 110;
    if (call32(102, 3 /* connect */, (long)words, 0) == 0) puts("LEAK connect");
  }
  return 0;
}
#else
int main(void) { return 0; }
#endif
