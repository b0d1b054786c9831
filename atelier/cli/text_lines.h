// Texts that a verb works on one by one: from the command line, from a file with a text a line, or from JSON Lines.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/cli/command.h"

namespace atelier::cli {

class TextLines {
 public:
  // TEXT... and --input.
  void declare(Args& args);

  // Calls use(lines) for some thousand lines at a time until there are none. A line is {"text": …} for texts of the command line and of
  // text files, else the object of the file, which may have "id" and other fields beside. InvalidArgument where there is nothing to read.
  Status for_each_part(const std::function<Status(std::span<const Json> lines)>& use) const;

 private:
  std::vector<std::string> texts_;
  std::optional<std::string> input_;
};

}  // namespace atelier::cli
