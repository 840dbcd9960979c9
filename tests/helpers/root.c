// Planted with the set-user-id bit of root: says LEAK when it takes effect.
#include <stdio.h>
#include <unistd.h>

int main(void) {
  if (geteuid() == 0 && getuid() != 0) puts("LEAK");
  return 0;
}
