#include "atelier/tokenize/jinja/markup.h"

#include <algorithm>

#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/repr.h"

namespace atelier::tokenize::jinja {

namespace {

class MarkupMethod : public Object {
 public:
  MarkupMethod(std::string_view name, Function::Body body, Value receiver) : name_(name), body_(body), receiver_(std::move(receiver)) {}

  std::string type_name() const override { return "method"; }
  bool is_callable() const override { return true; }
  Value call(Runtime& runtime, Arguments& arguments) override {
    if (name_ == "join" && !arguments.positional.empty()) {
      Items items = iterate(runtime, arguments.positional[0]);
      for (Value& item : items) item = escaped(runtime, item);
      arguments.positional[0] = Value::list(std::move(items));
    }
    bool has_inserted = name_ == "replace" || name_ == "ljust" || name_ == "rjust" || name_ == "center";
    if (has_inserted && arguments.positional.size() > 1) arguments.positional[1] = escaped(runtime, arguments.positional[1]);
    if (name_ == "format") {
      for (Value& value : arguments.positional) value = value.is_number() ? value : escaped(runtime, value);
      for (auto& [name, value] : arguments.keyword) value = value.is_number() ? value : escaped(runtime, value);
    }
    return marked_like(receiver_, body_(runtime, receiver_, arguments));
  }

 private:
  std::string name_;
  Function::Body body_;
  Value receiver_;
};

}  // namespace

Value escaped(Runtime& runtime, const Value& value) {
  if (value.is_markup()) return value;
  Value string = to_str(runtime, value);
  const Text& text = string.text();
  TextBuilder builder(runtime.budget);
  for (size_t at = 0; at < text.size(); ++at) {
    size_t special = std::min(text.bytes().find_first_of("&<>'\"", at), text.size());
    builder.append(text, at, special);
    at = special;
    if (at == text.size()) break;
    char c = text.bytes()[at];
    const char* entity = c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&#34;" : "&#39;";
    builder.append(entity, text.origin_at(at));
  }
  return Value::string(builder.finish()).as_markup();
}

Value marked_like(const Value& model, Value result) {
  if (!model.is_markup()) return result;
  if (result.is_string()) return result.as_markup();
  if (!result.is_sequence()) return result;
  Items items = result.items();
  for (Value& item : items) item = item.is_string() ? item.as_markup() : item;
  return result.is_list() ? Value::list(std::move(items)) : Value::tuple(std::move(items));
}

Value escaped_operands(Runtime& runtime, const Value& values) {
  if (values.is_dict() || values.is_number()) return values;
  if (values.kind() != Value::Kind::kTuple) return escaped(runtime, values);
  Items items = values.items();
  for (Value& item : items) item = item.is_number() ? item : escaped(runtime, item);
  return Value::tuple(std::move(items));
}

Value markup_method(std::string_view name, Function::Body body, const Value& receiver) {
  return Value::object(std::make_shared<MarkupMethod>(name, body, receiver));
}

}  // namespace atelier::tokenize::jinja
