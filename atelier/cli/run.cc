#include "atelier/cli/run.h"

#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <istream>
#include <new>
#include <ostream>
#include <span>

#include "atelier/base/log.h"
#include "atelier/base/strings.h"
#include "atelier/base/version.h"
#include "atelier/kernels/isa.h"
#include "atelier/parallel/parallel.h"

namespace atelier::cli {
namespace {

std::string overview() {
  std::string text = "atelier: a workshop for language models on ordinary CPUs\n\nUsage: atelier VERB [OPTIONS]\n";
  for (const char* group : {"look", "run", "make", "serve"}) {
    text += fmt::format("\n{}:\n", group);
    for (const CommandDef* command : commands()) {
      if (std::string_view(command->group) == group) text += fmt::format("  {:<12} {}\n", command->name, command->summary);
    }
  }
  return text + "\natelier VERB --help explains a verb. Example:\n  atelier chat smollm2-135m-instruct\n";
}

int fail(Console& console, const Status& status) {
  console.out.flush();
  console.err << "atelier: error: " << status.message() << std::endl;
  return status.code() == StatusCode::kInvalidArgument ? kExitUsage : kExitFailed;
}

const CommandDef* command_of(std::string_view name) {
  for (const CommandDef* command : commands()) {
    if (name == command->name) return command;
  }
  return nullptr;
}

// Takes the verb off the words: one of them, or two ("bench serve").
Result<const CommandDef*> take_command(std::span<const std::string>& words) {
  const std::string& verb = words[0];
  const CommandDef* longer = words.size() > 1 ? command_of(verb + " " + words[1]) : nullptr;
  if (const CommandDef* command = longer != nullptr ? longer : command_of(verb)) {
    words = words.subspan(longer != nullptr ? 2 : 1);
    return command;
  }
  std::vector<std::string> names;
  for (const CommandDef* command : commands()) names.push_back(command->name);
  const std::string nearest = nearest_name(verb, names);
  const std::string next = nearest.empty() ? "see atelier --help" : "did you mean " + nearest + "?";
  return Status::invalid(fmt::format("verb: {}, not one of atelier's; {}", atelier::quoted(verb), next));
}

struct CommonOptions {
  int64_t threads = available_cores();
  std::optional<int64_t> seed;
  bool is_json = false, is_verbose = false;
};

void declare_common(Args& args, CommonOptions& common) {
  args.group("Common options");
  args.option("-t,--threads", common.threads, "N", "threads that compute", {1, 1024});
  args.option("--seed", common.seed, "N", "of everything that is drawn at random (by default another each time)", {0, INT64_MAX});
  args.flag("--json", common.is_json, "print one JSON object (JSON Lines for a stream) on stdout");
  args.flag("-v,--verbose", common.is_verbose, "say on stderr what is being done");
}

Status prepare_machine(const CommonOptions& common) {
  if (common.is_verbose) set_log_level(LogLevel::kDebug);
  set_num_threads(static_cast<int>(common.threads));
  if (const char* isa = std::getenv("ATELIER_ISA"); isa && *isa) {
    if (const Status status = kernels::force_isa(isa); !status.ok()) return status.with_context("ATELIER_ISA");
  }
  return {};
}

Status run_command(const CommandDef& command, const std::vector<std::string>& arguments, Console& console) {
  Args args(std::string("atelier ") + command.name, command.summary, command.example);
  const CommandBody body = command.declare(args);
  CommonOptions common;
  declare_common(args, common);
  ATELIER_TRY(const bool wants_help, args.parse(arguments));
  if (wants_help) {
    console.out << args.help();
    return {};
  }
  ATELIER_RETURN_IF_ERROR(prepare_machine(common));
  console.seed = common.seed;
  console.is_json = common.is_json;
  console.is_verbose = common.is_verbose;
  ATELIER_RETURN_IF_ERROR(body(console));
  if (!console.out.flush()) return Status::io("output: cannot be written, the disk may be full; free some space");
  return {};
}

Status dispatch(const std::vector<std::string>& arguments, Console& console) {
  if (arguments.empty()) {
    console.err << overview();
    return Status::invalid("verb: none given, one is needed; see above");
  }
  const std::string& verb = arguments[0];
  if (verb == "--version") {
    console.out << "atelier " << kVersion << "\n";
    return {};
  }
  if (verb == "--help" || verb == "-h" || (verb == "help" && arguments.size() == 1)) {
    console.out << overview();
    return {};
  }
  const bool wants_help = verb == "help";
  std::span<const std::string> words(arguments);
  if (wants_help) words = words.subspan(1);
  ATELIER_TRY(const CommandDef* command, take_command(words));
  if (wants_help) return run_command(*command, {"--help"}, console);
  return run_command(*command, {words.begin(), words.end()}, console);
}

}  // namespace

int run(const std::vector<std::string>& arguments, Console& console) {
  try {
    const Status status = dispatch(arguments, console);
    return status.ok() ? kExitOk : fail(console, status);
  } catch (const std::bad_alloc&) {
    return fail(console, Status::out_of_range("memory: exhausted, the request needs more than there is; use a smaller --context or model"));
  } catch (const std::exception& error) {
    return fail(console, {StatusCode::kCorrupt, fmt::format("internal: {}, this should not happen; please report it", error.what())});
  }
}

}  // namespace atelier::cli
