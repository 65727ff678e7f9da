#include "check.h"

#include <stdio.h>
#include <stdlib.h>

namespace switchyard {

void corrupted(const char* condition, const char* file, int line) {
  fprintf(stderr, "switchyard engine: %s:%d: %s does not hold\n", file, line, condition);
  abort();
}

}  // namespace switchyard
