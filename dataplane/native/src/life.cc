#include "life.h"

namespace switchyard {
namespace {

constexpr uint32_t bit(Life life) { return 1u << static_cast<uint32_t>(life); }

constexpr uint32_t successors(Life from) {
  switch (from) {
    case Life::kFree:
      return bit(Life::kHello);
    case Life::kHello:
      return bit(Life::kWaiting) | bit(Life::kDeciding) | bit(Life::kEnded);
    case Life::kWaiting:
      return bit(Life::kDeciding) | bit(Life::kEnded);
    case Life::kDeciding:
      return bit(Life::kHello) | bit(Life::kDialling) | bit(Life::kRejecting) | bit(Life::kEnded);
    case Life::kDialling:
      return bit(Life::kRelaying) | bit(Life::kWaiting) | bit(Life::kDeciding) | bit(Life::kEnded);
    case Life::kRelaying:
    case Life::kRejecting:
      return bit(Life::kEnded);
    case Life::kEnded:
      return bit(Life::kFree);
  }
  return 0;
}

}  // namespace

bool may_become(Life from, Life to) { return (successors(from) & bit(to)) != 0; }

}  // namespace switchyard
