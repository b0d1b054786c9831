// The options of a verb: declared with a variable, a name and a sentence, filled from the command line.
//
// A thin face over CLI11, which only args.cc includes. Errors are one line in the house's form, and unknown options name the nearest.
//
//   args.positional("MODEL", model, "model file, folder or name in the store");
//   args.option("--context", context, "N", "tokens of context", {1, 1 << 20});
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::cli {

template <typename T>
struct Range {
  T low, high;  // both included
};

// Referenced variables must live until parse() returned; their values at declaration are the defaults that --help shows.
class Args {
 public:
  // `program` is "atelier chat".
  Args(const std::string& program, const std::string& description, const std::string& example);
  ~Args();

  enum class Presence { kRequired, kOptional };
  void positional(const char* name, std::string& value, const std::string& help, Presence presence = Presence::kRequired);
  void positional(const char* name, std::vector<std::string>& values, const std::string& help, Presence presence = Presence::kRequired);

  void flag(const char* names, bool& value, const std::string& help);
  void option(const char* names, std::string& value, const char* value_name, const std::string& help);
  void option(const char* names, std::optional<std::string>& value, const char* value_name, const std::string& help);
  void option(const char* names, std::vector<std::string>& values, const char* value_name, const std::string& help);  // repeatable
  void option(const char* names, int64_t& value, const char* value_name, const std::string& help, Range<int64_t> range);
  void option(const char* names, std::optional<int64_t>& value, const char* value_name, const std::string& help, Range<int64_t> range);
  void option(const char* names, double& value, const char* value_name, const std::string& help, Range<double> range);
  void option(const char* names, std::optional<double>& value, const char* value_name, const std::string& help, Range<double> range);
  void choice(const char* names, std::string& value, std::vector<std::string> choices, const std::string& help);

  // Options declared from here on stand under `heading` in --help.
  void group(const std::string& heading);

  // InvalidArgument for anything wrong. True when --help was asked for.
  Result<bool> parse(const std::vector<std::string>& arguments);
  std::string help() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atelier::cli
