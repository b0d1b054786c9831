#include "atelier/generate/page_identity.h"

#include <fmt/format.h>

#include "atelier/base/hash.h"
#include "atelier/base/version.h"
#include "atelier/kernels/isa.h"

namespace atelier::generate {
namespace {

uint64_t hash_of_weights(const models::Model& model) {
  uint64_t hash = 0;
  for (const format::TensorEntry& entry : model.checkpoint().entries()) {
    hash = hash_values(std::span<const char>(entry.name), hash);
    hash = hash_values(std::span<const int64_t>(entry.shape), hash + static_cast<uint64_t>(entry.dtype));
    hash = hash_bytes({static_cast<const uint8_t*>(entry.data), static_cast<size_t>(entry.bytes)}, hash);
  }
  return hash;
}

int64_t rotary_plan(const models::Model& model) {
  for (const nn::RopeSpec& rope : model.spec().ropes) {
    if (!nn::describe_length_dependence(rope, model.context()).empty()) return model.context();
  }
  return 0;
}

}  // namespace

std::string page_identity(const models::Model& model) {
  return fmt::format("atelier {} {}, {} {:016x}, precision {}, KV {}, rotary plan {}", kVersion, kernels::isa_name(kernels::current_isa()),
                     model.arch().name, hash_of_weights(model), static_cast<int>(model.precision()), dtype_name(model.kv_dtype()),
                     rotary_plan(model));
}

}  // namespace atelier::generate
