// A folder that appears under its name only when it is whole: files are written into NAME.partial, which is renamed at the end.
#pragma once

#include <string>
#include <string_view>

#include "atelier/base/status.h"

namespace atelier::convert {

class FolderOutput {
 public:
  // Refuses a target that exists and is not an empty folder.
  static Result<FolderOutput> create(const std::string& path);
  FolderOutput(FolderOutput&& other) noexcept;
  FolderOutput& operator=(FolderOutput&&) = delete;
  ~FolderOutput();  // removes what was not committed

  const std::string& partial_path() const { return partial_; }
  Status write(const std::string& name, std::string_view text) const;
  Status commit();

 private:
  FolderOutput(std::string path, std::string partial) : path_(std::move(path)), partial_(std::move(partial)) {}
  std::string path_, partial_;  // partial_ is empty once committed or moved from
};

}  // namespace atelier::convert
