#include "atelier/generate/tool_call_reader.h"

#include <string_view>
#include <utility>

#include "atelier/base/json.h"

namespace atelier::generate {
namespace {

// A call has no other members; an object that has is an answer in JSON, which need not be held back to its end.
bool is_known_key(std::string_view key) {
  for (const std::string_view known : {"name", "tool_name", "function", "arguments", "parameters", "type", "id", "tool_call_id"}) {
    if (key == known) return true;
  }
  return false;
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

ToolCallReader::ToolCallReader(std::string name) : at_(At::kValue), is_arguments_alone_(true), name_(std::move(name)) {}

std::string ToolCallReader::take_arguments() { return name_.empty() ? std::string() : std::exchange(arguments_, {}); }

void ToolCallReader::keep(char c) { (is_streamed() && at_ == At::kInBrackets ? arguments_ : value_) += c; }

ToolCallReader::Step ToolCallReader::push(char c) {
  switch (at_) {
    case At::kStart:
      if (is_space(c)) return Step::kMore;
      at_ = At::kKeyOrEnd;
      return c == '{' ? Step::kMore : Step::kBad;
    case At::kKeyOrEnd:
      if (c == '}') break;
      [[fallthrough]];
    case At::kKey:
      if (is_space(c)) return Step::kMore;
      key_.clear();
      at_ = At::kInKey;
      return c == '"' ? Step::kMore : Step::kBad;
    case At::kInKey:
      if (c == '"') {
        at_ = At::kColon;
        return is_known_key(key_) && !(is_streamed() && has_arguments_) ? Step::kMore : Step::kBad;
      }
      key_ += c;
      return c == '\\' || key_.size() > kMaxName ? Step::kBad : Step::kMore;
    case At::kColon:
      if (is_space(c)) return Step::kMore;
      at_ = At::kValue;
      return c == ':' ? Step::kMore : Step::kBad;
    case At::kValue:
      if (is_space(c)) return Step::kMore;
      value_.clear();
      depth_ = 0;
      is_in_string_ = is_escaped_ = false;
      at_ = c == '"' ? At::kInString : c == '{' || c == '[' ? At::kInBrackets : At::kInScalar;
      if (is_arguments_alone_ ? c != '{' : is_streamed() && c == '[') return Step::kBad;
      if (at_ == At::kInBrackets) return push_bracketed(c);
      if (at_ == At::kInScalar && (c == ',' || c == '}' || c == ']' || c == ':')) return Step::kBad;
      keep(c);
      return Step::kMore;
    case At::kInString:
      keep(c);
      if (is_escaped_) {
        is_escaped_ = false;
      } else if (c == '\\') {
        is_escaped_ = true;
      } else if (c == '"') {
        return end_value();
      }
      return Step::kMore;
    case At::kInBrackets:
      return push_bracketed(c);
    case At::kInScalar:
      if (c != ',' && c != '}' && !is_space(c)) {
        keep(c);
        return value_.size() > kMaxName ? Step::kBad : Step::kMore;
      }
      if (end_value() == Step::kBad) return Step::kBad;
      [[fallthrough]];
    case At::kNext:
      if (is_space(c)) return Step::kMore;
      if (c == '}') break;
      at_ = At::kKey;
      return c == ',' ? Step::kMore : Step::kBad;
    case At::kDone:
      return Step::kBad;
  }
  at_ = At::kDone;
  if (name_.empty()) return Step::kBad;
  if (!has_arguments_) arguments_ = "{}";
  return Step::kDone;
}

ToolCallReader::Step ToolCallReader::push_bracketed(char c) {
  keep(c);
  if (is_in_string_) {
    if (is_escaped_) {
      is_escaped_ = false;
    } else if (c == '\\') {
      is_escaped_ = true;
    } else if (c == '"') {
      is_in_string_ = false;
    }
    return Step::kMore;
  }
  if (c == '"') is_in_string_ = true;
  if ((c == '{' || c == '[') && ++depth_ > kMaxDepth) return Step::kBad;
  if ((c == '}' || c == ']') && --depth_ == 0) return end_value();
  return Step::kMore;
}

ToolCallReader::Step ToolCallReader::end_value() {
  at_ = At::kNext;
  if (is_streamed()) {
    has_arguments_ = true;
    if (is_arguments_alone_) {
      at_ = At::kDone;
      return Step::kDone;
    }
    if (value_.empty()) return Step::kMore;  // an object: it has been handed out
    const auto text = Json::parse(value_, "arguments");
    arguments_ = text.ok() && text->is_string() && !text->as_string().empty() ? text->as_string() : "{}";
  } else if (key_ == "name" || key_ == "tool_name" || key_ == "function") {
    const auto value = Json::parse(value_, key_, static_cast<int>(kMaxDepth));
    if (!value.ok()) return Step::kBad;
    if (value->is_string()) name_ = value->as_string();
    if (value->is_object() && key_ == "function") {
      if (const Json* name = value->find("name"); name != nullptr && name->is_string()) name_ = name->as_string();
      for (const char* key : {"arguments", "parameters"}) {
        const Json* arguments = value->find(key);
        if (arguments == nullptr || has_arguments_) continue;
        arguments_ = arguments->is_string() ? arguments->as_string() : arguments->dump();
        has_arguments_ = true;
      }
    }
    if (name_.empty() || name_.size() > kMaxName) return Step::kBad;
  }
  return Step::kMore;
}

}  // namespace atelier::generate
