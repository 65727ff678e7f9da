#ifndef SWITCHYARD_STRESS_UNITS_H_
#define SWITCHYARD_STRESS_UNITS_H_

#include <cstdint>
#include <string>

namespace stress {

// Laws of the parts that need no sockets, on random inputs. Empty, or what does not hold.
std::string check_units(uint64_t seed);

}  // namespace stress

#endif  // SWITCHYARD_STRESS_UNITS_H_
