#ifndef SWITCHYARD_CHECK_H_
#define SWITCHYARD_CHECK_H_

// For what must hold whatever clients, servers and JavaScript do. Where it does not, memory can't be trusted any more,
// so the process ends there, in release builds too.
#define SWITCHYARD_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::switchyard::corrupted(#condition, __FILE__, __LINE__))

namespace switchyard {

[[noreturn]] void corrupted(const char* condition, const char* file, int line);

}  // namespace switchyard

#endif  // SWITCHYARD_CHECK_H_
