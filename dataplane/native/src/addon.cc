#include <node_api.h>
#include <string.h>

#include "addon_arguments.h"
#include "core.h"

// The only file that knows Node. It keeps one Core per `start`, hands JavaScript its reports in batches, and takes its
// commands. All state hangs on the handle that `start` returns, so any number of environments (workers) may load this.
//
// Misuse throws a JavaScript error. native-addon.ts has the signatures.

namespace switchyard {
namespace {

constexpr int kBatchesPerWake = 16;

void let_go(Instance* instance) {
  instance->holders -= 1;
  if (instance->holders == 0) delete instance;
}

napi_value throw_error(napi_env env, const char* code, const char* message) {
  napi_throw_error(env, code, message);
  return nullptr;
}

// On engine threads. The queue of the thread-safe function holds at most one call, thanks to `Shared::woken`.
void wake(void* context) {
  napi_call_threadsafe_function(static_cast<Instance*>(context)->waker, nullptr, napi_tsfn_nonblocking);
}

void delete_reference(napi_env env, napi_ref* reference) {
  if (*reference != nullptr) napi_delete_reference(env, *reference);
  *reference = nullptr;
}

// Environments end without asking: threads that outlive the thread-safe function would call a dead one.
void on_environment_end(void* data) { static_cast<Instance*>(data)->core.reset(); }

void on_waker_gone(napi_env, void* data, void*) { let_go(static_cast<Instance*>(data)); }

void on_handle_gone(napi_env, void* data, void*) {
  Instance* instance = static_cast<Instance*>(data);
  instance->core.reset();
  let_go(instance);
}

void on_wake(napi_env env, napi_value, void* context, void*) {
  Instance* instance = static_cast<Instance*>(context);
  if (env == nullptr || instance->core == nullptr) return;
  instance->core->begin_drain();
  for (int batch = 0; batch < kBatchesPerWake; batch += 1) {
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return;
    napi_value array;
    napi_value on_batch;
    napi_value undefined;
    void* bytes = nullptr;
    size_t capacity = 0;
    napi_get_reference_value(env, instance->batch, &array);
    napi_get_reference_value(env, instance->on_batch, &on_batch);
    napi_get_undefined(env, &undefined);
    napi_get_typedarray_info(env, array, nullptr, &capacity, &bytes, nullptr, nullptr);
    const size_t length = bytes == nullptr ? 0 : instance->core->drain(static_cast<uint8_t*>(bytes), capacity);
    if (length > 0) {
      napi_value argument;
      napi_create_uint32(env, static_cast<uint32_t>(length), &argument);
      if (napi_call_function(env, undefined, on_batch, 1, &argument, nullptr) == napi_pending_exception) {
        napi_value exception;
        napi_get_and_clear_last_exception(env, &exception);
        napi_fatal_exception(env, exception);
      }
    }
    napi_close_handle_scope(env, scope);
    // The callback may have stopped the engine.
    if (length == 0 || instance->core == nullptr) return;
  }
  // The event loop has other guests: the rest is for its next turn.
  if (!instance->core->reports_empty()) wake(instance);
}

// ---- functions; their signatures are in native-addon.ts

napi_value start(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Core::Options options = {};
  void* batch = nullptr;
  size_t batch_size = 0;
  if (!arguments.number(0, limits::kThreadsMax, &options.threads) ||
      !arguments.number(1, INT32_MAX, &options.descriptors_reserved) ||
      !arguments.array(2, napi_uint8_array, limits::kReportRingBytes / 2, &batch, &batch_size) ||
      !arguments.function(3))
    return nullptr;
  if (options.threads == 0) return throw_error(env, "ERR_OUT_OF_RANGE", "at least one thread is needed");

  Instance* instance = new Instance;
  instance->env = env;
  napi_value name;
  napi_value handle;
  napi_create_string_utf8(env, "switchyard engine", NAPI_AUTO_LENGTH, &name);
  if (napi_create_object(env, &handle) != napi_ok ||
      napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, instance, on_waker_gone, instance, on_wake,
                                      &instance->waker) != napi_ok) {
    delete instance;
    return throw_error(env, "ERR_INTERNAL", "no thread-safe function");
  }
  int error = 0;
  instance->core = Core::start(options, wake, instance, &error);
  if (instance->core == nullptr) {
    instance->holders = 1;
    napi_release_threadsafe_function(instance->waker, napi_tsfn_abort);
    return throw_error(env, "ERR_SYSTEM_ERROR", strerror(error));
  }
  // After the thread-safe function was made, hence called before it is closed.
  napi_add_env_cleanup_hook(env, on_environment_end, instance);
  napi_wrap(env, handle, instance, on_handle_gone, nullptr, nullptr);
  napi_type_tag_object(env, handle, &kHandleTag);
  napi_create_reference(env, handle, 1, &instance->handle);
  napi_create_reference(env, arguments.at(2), 1, &instance->batch);
  napi_create_reference(env, arguments.at(3), 1, &instance->on_batch);
  return handle;
}

napi_value stop(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Instance* instance;
  if (!arguments.engine(&instance)) return nullptr;
  instance->core.reset();
  napi_remove_env_cleanup_hook(env, on_environment_end, instance);
  napi_release_threadsafe_function(instance->waker, napi_tsfn_abort);
  delete_reference(env, &instance->batch);
  delete_reference(env, &instance->on_batch);
  delete_reference(env, &instance->handle);
  return nullptr;
}

napi_value set_limits(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Instance* instance;
  uint32_t listener;
  ListenerLimits listener_limits;
  if (!arguments.engine(&instance) || !arguments.number(1, limits::kListenersMax - 1, &listener) ||
      !arguments.number(2, limits::kHelloBytesMax, &listener_limits.hello_bytes_max) ||
      !arguments.number(3, limits::kTimeoutMaxMs, &listener_limits.hello_deadline_ms) ||
      !arguments.number(4, limits::kTimeoutMaxMs, &listener_limits.client_idle_timeout_ms) ||
      !arguments.number(5, UINT32_MAX, &listener_limits.connections_max))
    return nullptr;
  instance->core->set_limits(static_cast<uint16_t>(listener), listener_limits);
  return nullptr;
}

napi_value bind(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Instance* instance;
  uint32_t listener;
  void* packed;
  size_t packed_size;
  bool defer_accept;
  if (!arguments.engine(&instance) || !arguments.number(1, limits::kListenersMax - 1, &listener) ||
      !arguments.array(2, napi_uint8_array, sizeof(Address), &packed, &packed_size) ||
      !arguments.boolean(3, &defer_accept))
    return nullptr;
  Address address;
  memcpy(&address, packed, sizeof address);
  if (address.family != 4 && address.family != 6)
    return throw_error(env, "ERR_INVALID_ARG_VALUE", "an address of family 4 or 6 is expected");
  const Core::Bound bound = instance->core->bind(static_cast<uint16_t>(listener), address, defer_accept);
  memcpy(packed, &bound.address, sizeof bound.address);
  napi_value answer;
  // The bind's id, or errno below zero.
  napi_create_int32(env, bound.error == 0 ? static_cast<int32_t>(bound.bind) : -bound.error, &answer);
  return answer;
}

napi_value unbind(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Instance* instance;
  uint32_t bound;
  if (!arguments.engine(&instance) || !arguments.number(1, INT32_MAX, &bound)) return nullptr;
  instance->core->unbind(bound);
  return nullptr;
}

napi_value submit(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Instance* instance;
  void* records;
  size_t capacity;
  uint32_t length;
  if (!arguments.engine(&instance) || !arguments.array(1, napi_uint8_array, 0, &records, &capacity) ||
      !arguments.number(2, INT32_MAX, &length))
    return nullptr;
  if (length > capacity || !Core::verdicts_valid(static_cast<uint8_t*>(records), length))
    return throw_error(env, "ERR_INVALID_ARG_VALUE", "these are no verdicts");
  instance->core->submit(static_cast<uint8_t*>(records), length);
  return nullptr;
}

napi_value abort_connection(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Instance* instance;
  uint32_t slot;
  uint32_t generation;
  uint32_t reason;
  if (!arguments.engine(&instance) || !arguments.number(1, UINT32_MAX, &slot) ||
      !arguments.number(2, UINT32_MAX, &generation) || !arguments.number(3, UINT8_MAX, &reason))
    return nullptr;
  instance->core->abort_connection(slot, generation, static_cast<uint8_t>(reason));
  return nullptr;
}

napi_value drain(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Instance* instance;
  if (!arguments.engine(&instance)) return nullptr;
  instance->core->drain_connections();
  return nullptr;
}

napi_value end_all(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Instance* instance;
  uint32_t reason;
  if (!arguments.engine(&instance) || !arguments.number(1, UINT8_MAX, &reason)) return nullptr;
  instance->core->end_all(static_cast<uint8_t>(reason));
  return nullptr;
}

napi_value stats(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Instance* instance;
  void* data;
  size_t count;
  if (!arguments.engine(&instance) || !arguments.array(1, napi_float64_array, 6, &data, &count)) return nullptr;
  const Stats now = instance->core->stats();
  const double numbers[] = {static_cast<double>(now.connections),   static_cast<double>(now.hellos_pending),
                            static_cast<double>(now.accepted),      static_cast<double>(now.accept_pauses),
                            static_cast<double>(now.queue_waits),   static_cast<double>(now.tap_bytes_dropped)};
  memcpy(data, numbers, sizeof numbers);
  return nullptr;
}

napi_value may_connect_from_anywhere(napi_env env, napi_callback_info) {
  napi_value answer;
  napi_get_boolean(env, sys::may_connect_from_anywhere(), &answer);
  return answer;
}

napi_value define(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {"start", nullptr, start, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"stop", nullptr, stop, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"setLimits", nullptr, set_limits, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"bind", nullptr, bind, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"unbind", nullptr, unbind, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"submit", nullptr, submit, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"abort", nullptr, abort_connection, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"drain", nullptr, drain, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"endAll", nullptr, end_all, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"mayConnectFromAnywhere", nullptr, may_connect_from_anywhere, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"stats", nullptr, stats, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  napi_value version;
  napi_create_uint32(env, wire::kVersion, &version);
  napi_set_named_property(env, exports, "wireVersion", version);
  return exports;
}

}  // namespace
}  // namespace switchyard

NAPI_MODULE_INIT() { return switchyard::define(env, exports); }
