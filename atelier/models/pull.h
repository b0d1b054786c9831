// Models into the store and out of it.
//
// A source is a repository of a hub that speaks Hugging Face's API, "owner/name" with a variant of its GGUF files behind a colon
// ("owner/name:Q4_K_M"), or the address of one file. Files come into a hidden folder beside the store's models, are checked by their
// SHA-256 where the hub states one, and appear under the model's name when all are there; what was stopped goes on from there.
#pragma once

#include <functional>
#include <string>

#include "atelier/base/status.h"
#include "atelier/models/store.h"

namespace atelier::models {

struct PullOptions {
  std::string name;                            // in the store; empty: the repository's or file's own
  std::string hub = "https://huggingface.co";  // without a slash at its end
  std::string revision = "main";               // branch, tag or commit
  std::string token;                           // sent to the hub; empty: none
  std::string sha256;                          // that a single file must have; empty: not checked
  bool is_public_only = false;  // the source is somebody else's word: besides the hub only the public internet (io/http_get.h)
};

// The file that is coming; bytes of all files that are there, and that there will be (0: not known). False stops.
using PullProgress = std::function<bool(const std::string& file, int64_t done, int64_t total)>;

// Errors: no such repository or variant (with those there are), a name that is taken, no room on the disk, a checksum that differs.
Result<StoredModel> pull_model(const std::string& source, const PullOptions& options, const PullProgress& progress);

}  // namespace atelier::models
