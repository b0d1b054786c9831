#include "atelier/tokenize/jinja/functions.h"

#include "atelier/tokenize/jinja/arguments.h"
#include "atelier/tokenize/jinja/objects.h"
#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/repr.h"
#include "atelier/tokenize/jinja/strftime.h"

namespace atelier::tokenize::jinja {

namespace {

Value range(Runtime& runtime, const Value&, Arguments& arguments) {
  Parameters parameters("range", arguments, {"start", "stop", "step"}, 1);
  bool has_start = parameters.has(1);
  int64_t start = has_start ? parameters.integer(0, 0) : 0;
  int64_t stop = parameters.integer(has_start ? 1 : 0, 0);
  int64_t step = parameters.integer(2, 1);
  if (step == 0) throw TemplateError("range() arg 3 must not be zero");
  Items items;
  for (int64_t i = start; step > 0 ? i < stop : i > stop;) {
    if (static_cast<int64_t>(items.size()) == kMaxRange) {
      throw TemplateError("Range too big. The sandbox blocks ranges larger than 100000.", StatusCode::kOutOfRange);
    }
    items.push_back(Value::integer(i));
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  runtime.budget.step(items.size());
  std::string repr = "range(" + std::to_string(start) + ", " + std::to_string(stop) + (step == 1 ? "" : ", " + std::to_string(step)) + ")";
  return Value::object(std::make_shared<Iterable>(Iterable::Kind::kRange, "range", std::move(items), std::move(repr)));
}

// The members that dict() and namespace() take: of a mapping or of pairs, then of keywords.
Dict members_of(Runtime& runtime, Arguments& arguments, const char* function) {
  Dict dict;
  if (arguments.positional.size() > 1) throw TemplateError(std::string(function) + "() takes at most 1 positional argument");
  if (!arguments.positional.empty() && arguments.positional[0].is_dict()) {
    runtime.budget.step(arguments.positional[0].dict().size());
    dict = arguments.positional[0].dict();
  } else if (!arguments.positional.empty()) {
    for (const Value& item : iterate(runtime, arguments.positional[0])) {
      Items pair = iterate(runtime, item);
      if (pair.size() != 2)
        throw TemplateError("dictionary update sequence element has length " + std::to_string(pair.size()) + "; 2 is required");
      dict.set(pair[0], pair[1]);
    }
  }
  for (auto& [name, value] : arguments.keyword) dict.set(Value::constant(name), std::move(value));
  return dict;
}

Value make_dict(Runtime& runtime, const Value&, Arguments& arguments) { return Value::dict(members_of(runtime, arguments, "dict")); }

Value make_namespace(Runtime& runtime, const Value&, Arguments& arguments) {
  auto space = std::make_shared<Namespace>();
  runtime.keep(space);
  Dict members = members_of(runtime, arguments, "namespace");
  for (const auto& [key, value] : members.entries()) {
    if (key.is_string()) space->set(key.bytes(), value);
  }
  return Value::object(space);
}

Value make_cycler(Runtime&, const Value&, Arguments& arguments) {
  if (arguments.positional.empty()) throw TemplateError("at least one item has to be provided");
  return Value::object(std::make_shared<Cycler>(arguments.positional));
}

Value make_joiner(Runtime&, const Value&, Arguments& arguments) {
  Parameters parameters("joiner", arguments, {"sep"});
  return Value::object(std::make_shared<Joiner>(parameters.has(0) ? parameters[0] : Value::constant(", ")));
}

Value raise_exception(Runtime& runtime, const Value&, Arguments& arguments) {
  Parameters parameters("raise_exception", arguments, {"message"}, 1);
  throw TemplateError(to_str(runtime, parameters[0]).bytes());
}

Value strftime_now(Runtime& runtime, const Value&, Arguments& arguments) {
  Parameters parameters("strftime_now", arguments, {"format"}, 1);
  return runtime.text(format_time(parameters.text(0).bytes(), runtime.now_s), parameters[0].origin());
}

}  // namespace

std::map<std::string, Value, std::less<>> builtin_functions() {
  static constexpr std::pair<const char*, Function::Body> kFunctions[] = {{"range", range},
                                                                          {"dict", make_dict},
                                                                          {"namespace", make_namespace},
                                                                          {"cycler", make_cycler},
                                                                          {"joiner", make_joiner},
                                                                          {"raise_exception", raise_exception},
                                                                          {"strftime_now", strftime_now}};
  std::map<std::string, Value, std::less<>> functions;
  for (const auto& [name, body] : kFunctions) functions[name] = Value::object(std::make_shared<Function>(body));
  return functions;
}

}  // namespace atelier::tokenize::jinja
