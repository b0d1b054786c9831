// Adapters as PEFT (tests/golden/make_adapter_goldens.py) and AdapterHub (make_bottleneck_goldens.py) saved them, and the logits with them.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/io/file.h"

namespace atelier::testing {

struct AdapterGolden {
  struct Part {
    std::string folder;
    float weight;
  };
  std::string model;  // folder
  std::vector<Part> adapters;
  std::vector<int32_t> ids;
  std::vector<float> logits;  // [ids, V]
};

inline AdapterGolden read_adapter_golden(const std::string& name) {
  const std::string goldens = ATELIER_SOURCE_DIR "/tests/golden/", folder = goldens + "adapters/" + name;
  const Json json = Json::parse(io::read_file(folder + "/golden.json", 1 << 20).value(), "golden.json").value();
  AdapterGolden out{goldens + "models/" + json.get_string("model").value(), {}, {}, {}};
  for (const Json& part : json.find("adapters")->as_array()) {
    out.adapters.push_back(
        {goldens + "adapters/" + part.get_string("folder").value(), static_cast<float>(part.get_double("weight").value())});
  }
  for (const Json& id : json.find("ids")->as_array()) out.ids.push_back(static_cast<int32_t>(id.as_int()));
  const std::string bytes = io::read_file(folder + "/logits.f32", 1 << 20).value();
  out.logits.resize(bytes.size() / sizeof(float));
  std::memcpy(out.logits.data(), bytes.data(), bytes.size());
  return out;
}

}  // namespace atelier::testing
