#ifndef SWITCHYARD_ADDON_ARGUMENTS_H_
#define SWITCHYARD_ADDON_ARGUMENTS_H_

#include <node_api.h>

#include <memory>

#include "core.h"

namespace switchyard {

// "switchyard-engin" in two halves; marks our handles, so that another object is refused.
inline constexpr napi_type_tag kHandleTag = {0x7377697463687961ull, 0x72642d656e67696eull};

// One engine as JavaScript holds it. It lives until both the handle and the thread-safe function are gone, since either
// may be the last to call back; `core` is null once the engine is stopped.
struct Instance {
  napi_env env = nullptr;
  std::unique_ptr<Core> core;
  napi_threadsafe_function waker = nullptr;
  napi_ref handle = nullptr;  // strong while the engine runs: it must not be collected then
  napi_ref batch = nullptr;
  napi_ref on_batch = nullptr;
  int holders = 2;
};

inline constexpr size_t kArgumentsMax = 6;

// The arguments of a call. A reader that meets the wrong type throws, and answers false from then on.
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr);
  }

  bool number(size_t at, uint32_t max, uint32_t* number) {
    double value = 0;
    if (at >= count_ || napi_get_value_double(env_, values_[at], &value) != napi_ok)
      return wrong("a number is expected");
    if (!(value >= 0 && value <= max) || value != static_cast<double>(static_cast<uint32_t>(value)))
      return wrong("a number is out of range");
    *number = static_cast<uint32_t>(value);
    return true;
  }

  bool boolean(size_t at, bool* value) {
    if (at >= count_ || napi_get_value_bool(env_, values_[at], value) != napi_ok)
      return wrong("a boolean is expected");
    return true;
  }

  // The memory stays JavaScript's, valid for this call.
  bool array(size_t at, napi_typedarray_type type, size_t count_min, void** data, size_t* count) {
    bool typed = false;
    napi_typedarray_type found;
    if (at >= count_ || napi_is_typedarray(env_, values_[at], &typed) != napi_ok || !typed ||
        napi_get_typedarray_info(env_, values_[at], &found, count, data, nullptr, nullptr) != napi_ok || found != type)
      return wrong("a typed array is expected");
    if (*count < count_min) return wrong("a typed array is too short");
    return true;
  }

  bool function(size_t at) {
    napi_valuetype type;
    if (at >= count_ || napi_typeof(env_, values_[at], &type) != napi_ok || type != napi_function)
      return wrong("a function is expected");
    return true;
  }

  // The first argument of nearly every function: an engine that runs.
  bool engine(Instance** instance) {
    bool ours = false;
    napi_valuetype type;
    void* data = nullptr;
    if (count_ < 1 || napi_typeof(env_, values_[0], &type) != napi_ok || type != napi_object ||
        napi_check_object_type_tag(env_, values_[0], &kHandleTag, &ours) != napi_ok || !ours ||
        napi_unwrap(env_, values_[0], &data) != napi_ok)
      return wrong("an engine's handle is expected");
    *instance = static_cast<Instance*>(data);
    if ((*instance)->core == nullptr) return wrong("the engine is stopped");
    return true;
  }

  napi_value at(size_t index) const { return values_[index]; }

 private:
  bool wrong(const char* message) {
    bool pending = false;
    napi_is_exception_pending(env_, &pending);
    if (!pending) napi_throw_type_error(env_, "ERR_INVALID_ARG_VALUE", message);
    return false;
  }

  napi_env env_;
  size_t count_ = kArgumentsMax;
  napi_value values_[kArgumentsMax] = {};
};

}  // namespace switchyard

#endif  // SWITCHYARD_ADDON_ARGUMENTS_H_
