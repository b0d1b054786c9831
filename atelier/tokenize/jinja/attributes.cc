// Attribute access, subscripts and slices, with the fallbacks of Jinja's sandbox: x.name tries attributes, then items; x["name"]
// tries items, then attributes; what is neither is undefined.
#include "atelier/tokenize/jinja/markup.h"
#include "atelier/tokenize/jinja/objects.h"
#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/repr.h"
#include "atelier/tokenize/jinja/unicode.h"

namespace atelier::tokenize::jinja {

namespace {

std::string owner_name(const Value& object) { return object.is_none() ? "None" : object.type_name() + " object"; }

Value missing_attribute(const Value& object, std::string_view name) {
  return Value::undefined("'" + owner_name(object) + "' has no attribute '" + std::string(name) + "'");
}

bool attribute(Runtime& runtime, const Value& object, std::string_view name, Value& out) {
  if (object.kind() == Value::Kind::kObject) return object.object()->get_attribute(runtime, name, out);
  if (object.is_group() && (name == "grouper" || name == "list")) {
    out = object.items()[name == "list"];
    return true;
  }
  return get_method(object, name, out);
}

// x[index] of what has positions; false when the index is out of range.
bool element(Runtime& runtime, const Value& object, int64_t index, Value& out) {
  size_t length = 0;
  if (!length_of(object, length)) return false;
  if (index < 0) index += static_cast<int64_t>(length);
  if (index < 0 || static_cast<size_t>(index) >= length) return false;
  if (object.is_string()) {
    const Text& text = object.text();
    if (!text.is_ascii()) runtime.budget.work(text.size());
    TextBuilder builder(runtime.budget);
    builder.append(text, text.byte_of(index), text.byte_of(index + 1));
    out = marked_like(object, Value::string(builder.finish()));
    return true;
  }
  if (object.is_sequence()) {
    out = object.items()[index];
    return true;
  }
  auto range = object.object_as<Iterable>();
  if (!range || range->iterable_kind() != Iterable::Kind::kRange) return false;
  out = range->items()[index];
  return true;
}

// A slice bound as Python clips it: None means the end that the step starts or stops at.
int64_t clipped(const Value& bound, int64_t missing, int64_t length, int64_t lowest, int64_t highest) {
  if (bound.is_none()) return missing;
  if (!bound.is_integral()) throw TemplateError("slice indices must be integers or None");
  int64_t index = bound.as_int();
  if (index < 0) index += length;
  return index < lowest ? lowest : index > highest ? highest : index;
}

std::vector<size_t> slice_positions(Runtime& runtime, int64_t length, const Value& start, const Value& stop, const Value& step) {
  int64_t stride = 1;
  if (!step.is_none()) {
    if (!step.is_integral()) throw TemplateError("slice indices must be integers or None");
    stride = step.as_int();
  }
  if (stride == 0) throw TemplateError("slice step cannot be zero");
  bool forward = stride > 0;
  int64_t lowest = forward ? 0 : -1;
  int64_t highest = forward ? length : length - 1;
  int64_t from = clipped(start, forward ? lowest : highest, length, lowest, highest);
  int64_t to = clipped(stop, forward ? highest : lowest, length, lowest, highest);
  std::vector<size_t> positions;
  while (forward ? from < to : from > to) {
    runtime.budget.step();
    positions.push_back(static_cast<size_t>(from));
    if (__builtin_add_overflow(from, stride, &from)) break;
  }
  return positions;
}

Value slice_text(Runtime& runtime, const Text& text, const Value& start, const Value& stop, const Value& step) {
  int64_t length = static_cast<int64_t>(text.length());
  TextBuilder builder(runtime.budget);
  runtime.budget.work(text.size());
  if (step.is_none() || (step.is_integral() && step.as_int() == 1)) {
    int64_t from = clipped(start, 0, length, 0, length);
    int64_t to = clipped(stop, length, length, 0, length);
    if (from < to) builder.append(text, text.byte_of(from), text.byte_of(to));
    return Value::string(builder.finish());
  }
  std::vector<size_t> starts;  // byte of each code point, and the end
  for (size_t at = 0; at < text.size(); at = skip_code_points(text.view(), at, 1)) starts.push_back(at);
  starts.push_back(text.size());
  for (size_t position : slice_positions(runtime, length, start, stop, step)) builder.append(text, starts[position], starts[position + 1]);
  return Value::string(builder.finish());
}

}  // namespace

Value get_attribute(Runtime& runtime, const Value& object, std::string_view name) {
  if (object.is_undefined()) fail_undefined(object);
  Value found;
  if (attribute(runtime, object, name, found)) return found;
  if (object.is_dict()) {
    if (const Value* member = object.dict().find(name)) return *member;
  }
  return missing_attribute(object, name);
}

Value get_item(Runtime& runtime, const Value& object, const Value& key) {
  if (object.is_undefined()) fail_undefined(object);
  Value found;
  if (object.is_dict()) {
    bool can_be_key = !key.is_list() && !key.is_dict();  // Python's TypeError here ends as undefined
    if (const Value* member = can_be_key ? object.dict().find(key) : nullptr) return *member;
  } else if (key.is_integral() && element(runtime, object, key.as_int(), found)) {
    return found;
  }
  if (key.is_string()) {
    if (attribute(runtime, object, key.bytes(), found)) return found;
    return missing_attribute(object, key.bytes());
  }
  return Value::undefined(owner_name(object) + " has no element " + repr_bytes(runtime, key));
}

Value get_slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step) {
  if (object.is_undefined()) fail_undefined(object);
  if (object.is_string()) return marked_like(object, slice_text(runtime, object.text(), start, stop, step));
  auto range = object.object_as<Iterable>();
  bool is_range = range && range->iterable_kind() == Iterable::Kind::kRange;
  if (object.is_dict()) throw TemplateError("unhashable type: 'slice'");
  if (!object.is_sequence() && !is_range) return Value::undefined(owner_name(object) + " cannot be sliced");
  const Items& items = is_range ? range->items() : object.items();
  Items chosen;
  for (size_t position : slice_positions(runtime, static_cast<int64_t>(items.size()), start, stop, step)) chosen.push_back(items[position]);
  return object.kind() == Value::Kind::kTuple ? Value::tuple(std::move(chosen), object.origin())
                                              : Value::list(std::move(chosen), object.origin());
}

}  // namespace atelier::tokenize::jinja
