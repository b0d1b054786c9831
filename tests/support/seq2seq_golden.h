// The tiny encoder-decoders of tests/golden/seq2seq and what transformers 5.23 made of a few sources
// (tests/golden/make_seq2seq_goldens.py).
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/io/file.h"

namespace atelier::testing {

inline std::vector<int32_t> ids_of(const Json& list) {
  std::vector<int32_t> ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<int32_t>(id.as_int()));
  return ids;
}

struct Seq2SeqGolden {
  struct Sequence {
    std::vector<int32_t> source, ids;
    std::vector<float> states, logits;  // [S, C], [T, V]
  };

  explicit Seq2SeqGolden(const std::string& name)
      : folder(std::filesystem::path(ATELIER_SOURCE_DIR) / "tests/golden/seq2seq" / name),
        json(Json::parse(io::read_file(folder / "golden.json").value(), "golden.json").value()),
        tolerance(json.get_double("atol").value()) {
    for (const Json& entry : json.find("sequences")->as_array()) {
      sequences.push_back({ids_of(*entry.find("source")), ids_of(*entry.find("ids")), floats(entry.get_string("states").value()),
                           floats(entry.get_string("logits").value())});
    }
  }

  std::vector<float> floats(const std::string& file) const {
    const std::string bytes = io::read_file(folder / file).value();
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  static std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(ATELIER_SOURCE_DIR) / "tests/golden/seq2seq")) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::filesystem::path folder;
  Json json;
  double tolerance;
  std::vector<Sequence> sequences;
};

}  // namespace atelier::testing
