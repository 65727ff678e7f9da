#ifndef SWITCHYARD_LIFE_H_
#define SWITCHYARD_LIFE_H_

#include <cstdint>

namespace switchyard {

// Where a connection stands.
//
//   kFree -> kHello -> kWaiting -> kDeciding -> kDialling -> kRelaying -> kEnded -> kFree
//                ^_________|________|  |  ^         |
//                   (more bytes)       |  |_________|  by way of kWaiting: the server could not be reached
//                                      v
//                                  kRejecting -> kEnded
enum class Life : uint8_t {
  kFree,       // in the slab's free list
  kHello,      // collects the hello
  kWaiting,    // has a question that does not fit in the report ring yet
  kDeciding,   // the question is with JavaScript, which may have said that the answer takes its time
  kDialling,   // connects to a server, or sends it the prefix and the hello
  kRelaying,   // moves bytes both ways
  kRejecting,  // the alert is on its way; drains what the client still sends, so that no RST overtakes the alert
  kEnded,      // owns no descriptor and no buffer any more; its end is to be reported
};

// Whether a connection may go from one to the other.
bool may_become(Life from, Life to);

}  // namespace switchyard

#endif  // SWITCHYARD_LIFE_H_
