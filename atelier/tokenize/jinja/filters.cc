#include "atelier/tokenize/jinja/filters.h"

namespace atelier::tokenize::jinja {

Value apply_filter(Runtime& runtime, const std::string& name, const Value& operand, Arguments& arguments) {
  for (auto family : {text_filter, number_filter, sequence_filter, selection_filter}) {
    if (Function::Body body = family(name)) return body(runtime, operand, arguments);
  }
  static constexpr const char* kLeftOut[] = {"random",    "urlize",   "xmlattr",   "pprint",
                                             "striptags", "wordwrap", "urlencode", "filesizeformat"};
  for (const char* known : kLeftOut) {
    if (name == known) throw TemplateError("the filter '" + name + "' is not supported in chat templates", StatusCode::kUnsupported);
  }
  throw TemplateError("No filter named '" + name + "'.");
}

}  // namespace atelier::tokenize::jinja
