#include "atelier/train/yaml.h"

#include <yaml-cpp/yaml.h>

#include <cmath>
#include <optional>

#include "atelier/base/strings.h"

namespace atelier::train {
namespace {

constexpr int kMaxValues = 10'000;
constexpr int kMaxDepth = 64;

// "nan" and "inf" are words here.
std::optional<double> finite_number(const std::string& text) {
  const std::optional<double> number = parse_double(text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

Json scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  if (text.empty() || text == "~" || text == "null") return {};
  if (text == "true" || text == "false") return text == "true";
  if (const auto integer = parse_int(text)) return *integer;
  if (const auto number = finite_number(text)) return *number;
  return text;
}

class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  Result<Json> read(const YAML::Node& node, int depth) {
    if (++num_values_ > kMaxValues || depth > kMaxDepth) {
      return Status::corrupt(name_ + ": more than " + std::to_string(kMaxValues) + " values or " + std::to_string(kMaxDepth) +
                             " levels; is this a recipe?");
    }
    if (node.IsSequence()) {
      Json array = Json::array();
      for (const auto& element : node) {
        ATELIER_TRY(Json value, read(element, depth + 1));
        array.push_back(std::move(value));
      }
      return array;
    }
    if (node.IsMap()) {
      Json object = Json::object();
      for (const auto& member : node) {
        if (!member.first.IsScalar()) return Status::corrupt(name_ + ": a key is no word; write key: value");
        const std::string key = member.first.Scalar();
        if (object.contains(key)) return Status::corrupt(name_ + ": " + key + " is given twice; remove one");
        ATELIER_TRY(Json value, read(member.second, depth + 1));
        object.set(key, std::move(value));
      }
      return object;
    }
    return node.IsScalar() ? scalar(node) : Json();
  }

 private:
  const std::string& name_;
  int num_values_ = 0;
};

// A string that would read back as something else is quoted.
void emit_string(YAML::Emitter& out, const std::string& text) {
  const bool is_other =
      text.empty() || text == "~" || text == "null" || text == "true" || text == "false" || finite_number(text).has_value();
  if (is_other || text.find('\n') != text.npos) out << YAML::DoubleQuoted;
  out << text;
}

// "1.0e-08": without the point, readers of YAML 1.1 (PyYAML) take an exponent for a word.
std::string number_text(const Json& json) {
  std::string text = json.dump();
  const size_t exponent = text.find('e');
  if (exponent != text.npos && text.find('.') == text.npos) text.insert(exponent, ".0");
  return text;
}

void emit(YAML::Emitter& out, const Json& json) {
  if (json.is_object()) {
    out << YAML::BeginMap;
    for (const auto& [key, value] : json.as_object()) {
      out << YAML::Key << key << YAML::Value;
      emit(out, value);
    }
    out << YAML::EndMap;
  } else if (json.is_array()) {
    out << YAML::BeginSeq;
    for (const Json& value : json.as_array()) emit(out, value);
    out << YAML::EndSeq;
  } else if (json.is_string()) {
    emit_string(out, json.as_string());
  } else {
    out << (json.is_number() ? number_text(json) : json.dump());
  }
}

}  // namespace

Result<Json> parse_yaml(std::string_view text, const std::string& name) {
  try {
    return Reader(name).read(YAML::Load(std::string(text)), 0);
  } catch (const YAML::Exception& error) {
    return Status::corrupt(name + ": line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
}

std::string to_yaml(const Json& json) {
  YAML::Emitter out;
  emit(out, json);
  return std::string(out.c_str()) + "\n";
}

}  // namespace atelier::train
