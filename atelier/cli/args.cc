#include "atelier/cli/args.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "atelier/base/strings.h"

namespace atelier::cli {
namespace {

// Leaves CLI11's parser from within a value; parse() turns it back into a Status.
struct ValueError {
  Status status;
};

// "-t,--threads" -> "--threads"
std::string long_name(const std::string& names) { return names.substr(names.rfind(',') + 1); }

std::string as_given(const std::string&, const std::string& text) { return text; }

auto as_int(Range<int64_t> range) {
  return [range](const std::string& name, const std::string& text) {
    const auto value = parse_int(text);
    if (value && *value >= range.low && *value <= range.high) return *value;
    throw ValueError{Status::invalid(
        fmt::format("{}: {}, must be an integer from {} to {}; see --help", name, atelier::quoted(text), range.low, range.high))};
  };
}

auto as_double(Range<double> range) {
  return [range](const std::string& name, const std::string& text) {
    const auto value = parse_double(text);
    if (value && *value >= range.low && *value <= range.high) return *value;
    throw ValueError{Status::invalid(
        fmt::format("{}: {}, must be a number from {} to {}; see --help", name, atelier::quoted(text), range.low, range.high))};
  };
}

auto as_choice(std::vector<std::string> choices) {
  return [choices = std::move(choices)](const std::string& name, const std::string& text) {
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) return text;
    throw ValueError{Status::invalid(fmt::format("{}: {}, must be {}; see --help", name, atelier::quoted(text), join(choices, "|")))};
  };
}

constexpr size_t kNameColumn = 34;

}  // namespace

struct Args::Impl {
  Impl(const std::string& program_name, const std::string& description) : app(description, program_name), program(program_name) {}

  CLI::App app;
  std::string program;
  std::string heading = "Options";

  CLI::Option* add(const char* names, CLI::callback_t store, const char* value_name, const std::string& help, const std::string& fallback) {
    const std::string text = fallback.empty() ? help : help + " (default " + fallback + ")";
    return app.add_option(names, std::move(store), text)
        ->type_name(value_name)
        ->type_size(1)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->group(heading);
  }
  // An option whose text `convert(name, text)` turns into the value of `slot`.
  template <typename Slot, typename Convert>
  void add_converted(const char* names, Slot& slot, const char* value_name, const std::string& help, const std::string& fallback,
                     Convert convert) {
    const auto store = [&slot, convert, name = long_name(names)](const CLI::results_t& texts) {
      slot = convert(name, texts.back());
      return true;
    };
    add(names, store, value_name, help, fallback);
  }
  std::vector<std::string> option_names() const {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
  }
  Status unknown_argument(const std::string& argument) const;
};

Status Args::Impl::unknown_argument(const std::string& argument) const {
  if (argument.size() < 2 || argument[0] != '-') {
    return Status::invalid(fmt::format("argument: {}, {} takes no more of them; put a text with spaces in quotes, or see --help",
                                       atelier::quoted(argument), program));
  }
  const std::string nearest = nearest_name(argument.substr(0, argument.find('=')), option_names());
  const std::string next = nearest.empty() ? "see " + program + " --help" : "did you mean " + nearest + "?";
  return Status::invalid(fmt::format("option: {}, unknown to {}; {}", atelier::quoted(argument), program, next));
}

Args::Args(const std::string& program, const std::string& description, const std::string& example)
    : impl_(std::make_unique<Impl>(program, description)) {
  impl_->app.set_help_flag("-h,--help", "print this help and exit")->group("Common options");
  impl_->app.get_formatter()->column_width(kNameColumn);
  if (!example.empty()) impl_->app.footer("Example:\n  " + example);
}
Args::~Args() = default;

void Args::group(const std::string& heading) { impl_->heading = heading; }

void Args::positional(const char* name, std::string& value, const std::string& help, Presence presence) {
  impl_->app.add_option(name, value, help)->type_name("")->required(presence == Presence::kRequired);
}

void Args::positional(const char* name, std::vector<std::string>& values, const std::string& help, Presence presence) {
  impl_->app.add_option(name, values, help)->type_name("")->required(presence == Presence::kRequired);
}

void Args::flag(const char* names, bool& value, const std::string& help) { impl_->app.add_flag(names, value, help)->group(impl_->heading); }

void Args::option(const char* names, std::string& value, const char* value_name, const std::string& help) {
  impl_->add_converted(names, value, value_name, help, value, as_given);
}

void Args::option(const char* names, std::optional<std::string>& value, const char* value_name, const std::string& help) {
  impl_->add_converted(names, value, value_name, help, "", as_given);
}

void Args::option(const char* names, std::vector<std::string>& values, const char* value_name, const std::string& help) {
  impl_
      ->add(
          names, [&values](const CLI::results_t& texts) { return values = texts, true; }, value_name, help, "")
      ->expected(1, 1000)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Args::option(const char* names, int64_t& value, const char* value_name, const std::string& help, Range<int64_t> range) {
  impl_->add_converted(names, value, value_name, help, std::to_string(value), as_int(range));
}

void Args::option(const char* names, std::optional<int64_t>& value, const char* value_name, const std::string& help, Range<int64_t> range) {
  impl_->add_converted(names, value, value_name, help, "", as_int(range));
}

void Args::option(const char* names, double& value, const char* value_name, const std::string& help, Range<double> range) {
  impl_->add_converted(names, value, value_name, help, fmt::format("{}", value), as_double(range));
}

void Args::option(const char* names, std::optional<double>& value, const char* value_name, const std::string& help, Range<double> range) {
  impl_->add_converted(names, value, value_name, help, "", as_double(range));
}

void Args::choice(const char* names, std::string& value, std::vector<std::string> choices, const std::string& help) {
  const std::string list = join(choices, "|");
  impl_->add_converted(names, value, list.c_str(), help, value, as_choice(std::move(choices)));
}

Result<bool> Args::parse(const std::vector<std::string>& arguments) {
  const std::string& program = impl_->program;
  try {
    impl_->app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 wants them reversed
    return false;
  } catch (const ValueError& error) {
    return error.status;
  } catch (const CLI::CallForHelp&) {
    return true;
  } catch (const CLI::ExtrasError&) {
    const std::vector<std::string> extras = impl_->app.remaining();
    return impl_->unknown_argument(extras.empty() ? "" : extras.front());
  } catch (const CLI::RequiredError& error) {
    // CLI11 finds missing arguments before unknown ones; a misspelt option is the likelier cause of both.
    for (const std::string& extra : impl_->app.remaining()) {
      if (extra.size() > 1 && extra[0] == '-') return impl_->unknown_argument(extra);
    }
    const std::string what = error.what();  // "MODEL is required"
    return Status::invalid(fmt::format("{}: missing, {} needs it; see {} --help", what.substr(0, what.find(' ')), program, program));
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string what = error.what();  // "--seed: 1 required N missing"
    return Status::invalid(fmt::format("{}: no value, it needs one; see {} --help", what.substr(0, what.find(':')), program));
  } catch (const CLI::ParseError& error) {
    return Status::invalid(fmt::format("arguments: {}; see {} --help", error.what(), program));
  }
}

std::string Args::help() const { return impl_->app.help(); }

}  // namespace atelier::cli
