// Python's arithmetic: true and floor division, signs of remainders, joining and repeating of sequences. Integers are 64 bits wide;
// a result that does not fit is an error.
#include <algorithm>
#include <cmath>

#include "atelier/tokenize/jinja/markup.h"
#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/printf_format.h"

namespace atelier::tokenize::jinja {

namespace {

const char* symbol_of(Arithmetic op) {
  switch (op) {
    case Arithmetic::kAdd:
      return "+";
    case Arithmetic::kSubtract:
      return "-";
    case Arithmetic::kMultiply:
      return "*";
    case Arithmetic::kDivide:
      return "/";
    case Arithmetic::kFloorDivide:
      return "//";
    case Arithmetic::kModulo:
      return "%";
    case Arithmetic::kPower:
      return "** or pow()";
  }
  return "?";
}

[[noreturn]] void fail_types(Arithmetic op, const Value& a, const Value& b) {
  if (op == Arithmetic::kAdd && a.is_string()) {
    throw TemplateError("can only concatenate str (not \"" + b.type_name() + "\") to str");
  }
  throw TemplateError(std::string("unsupported operand type(s) for ") + symbol_of(op) + ": '" + a.type_name() + "' and '" + b.type_name() +
                      "'");
}

int64_t checked(bool overflows, int64_t value) {
  if (overflows) throw TemplateError("an integer does not fit in 64 bits", StatusCode::kOutOfRange);
  return value;
}

[[noreturn]] void fail_zero() { throw TemplateError("division by zero"); }

int64_t floor_divide(int64_t a, int64_t b) {
  if (b == 0) fail_zero();
  if (b == -1) {
    int64_t result;
    bool overflows = __builtin_sub_overflow(int64_t{0}, a, &result);
    return checked(overflows, result);
  }
  return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

int64_t floor_modulo(int64_t a, int64_t b) {
  if (b == 0) fail_zero();
  if (b == -1) return 0;
  int64_t remainder = a % b;
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

double floor_modulo(double a, double b) {
  if (b == 0) fail_zero();
  double remainder = std::fmod(a, b);
  if (remainder == 0) return std::copysign(0.0, b);
  return (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

int64_t integer_power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  if (base == 0 || base == 1) return exponent == 0 ? 1 : base;
  if (base == -1) return exponent % 2 == 0 ? 1 : -1;
  for (; exponent > 0; --exponent) {  // at most 63 rounds before it overflows
    bool overflows = __builtin_mul_overflow(result, base, &result);
    checked(overflows, result);
  }
  return result;
}

double real_power(double base, double exponent) {
  if (base == 0 && exponent < 0) throw TemplateError("0.0 cannot be raised to a negative power");
  double result = std::pow(base, exponent);
  if (std::isnan(result) && !std::isnan(base) && !std::isnan(exponent)) {
    throw TemplateError("a power of a negative number is complex", StatusCode::kUnsupported);
  }
  if (std::isinf(result) && std::isfinite(base) && std::isfinite(exponent)) throw TemplateError("a power is too large for a float");
  return result;
}

Value integers(Arithmetic op, int64_t a, int64_t b, Origin origin) {
  int64_t result = 0;
  switch (op) {
    case Arithmetic::kAdd: {
      bool overflows = __builtin_add_overflow(a, b, &result);
      return Value::integer(checked(overflows, result), origin);
    }
    case Arithmetic::kSubtract: {
      bool overflows = __builtin_sub_overflow(a, b, &result);
      return Value::integer(checked(overflows, result), origin);
    }
    case Arithmetic::kMultiply: {
      bool overflows = __builtin_mul_overflow(a, b, &result);
      return Value::integer(checked(overflows, result), origin);
    }
    case Arithmetic::kDivide:
      if (b == 0) fail_zero();
      return Value::real(static_cast<double>(a) / static_cast<double>(b), origin);
    case Arithmetic::kFloorDivide:
      return Value::integer(floor_divide(a, b), origin);
    case Arithmetic::kModulo:
      return Value::integer(floor_modulo(a, b), origin);
    case Arithmetic::kPower:
      if (b < 0) return Value::real(real_power(static_cast<double>(a), static_cast<double>(b)), origin);
      return Value::integer(integer_power(a, b), origin);
  }
  return {};
}

Value reals(Arithmetic op, double a, double b, Origin origin) {
  switch (op) {
    case Arithmetic::kAdd:
      return Value::real(a + b, origin);
    case Arithmetic::kSubtract:
      return Value::real(a - b, origin);
    case Arithmetic::kMultiply:
      return Value::real(a * b, origin);
    case Arithmetic::kDivide:
      if (b == 0) fail_zero();
      return Value::real(a / b, origin);
    case Arithmetic::kFloorDivide: {
      double remainder = floor_modulo(a, b);
      return Value::real(std::round((a - remainder) / b), origin);
    }
    case Arithmetic::kModulo:
      return Value::real(floor_modulo(a, b), origin);
    case Arithmetic::kPower:
      return Value::real(real_power(a, b), origin);
  }
  return {};
}

Value joined_texts(Runtime& runtime, const Value& a, const Value& b) {
  bool is_markup = a.is_markup() || b.is_markup();
  TextBuilder builder(runtime.budget);
  builder.append(is_markup ? escaped(runtime, a).text() : a.text());
  builder.append(is_markup ? escaped(runtime, b).text() : b.text());
  Value joined = Value::string(builder.finish());
  return is_markup ? joined.as_markup() : joined;
}

Value joined_items(Runtime& runtime, const Value& a, const Value& b) {
  runtime.budget.step(a.items().size() + b.items().size());
  Items items = a.items();
  items.insert(items.end(), b.items().begin(), b.items().end());
  Origin origin = joint_origin(a, b);
  return a.is_list() ? Value::list(std::move(items), origin) : Value::tuple(std::move(items), origin);
}

Value repeated(Runtime& runtime, const Value& sequence, int64_t count) {
  if (sequence.is_string()) {
    const Text& text = sequence.text();
    if (count > 0 && text.size() > 0 && static_cast<uint64_t>(count) > kMaxText / text.size()) {
      throw TemplateError("a repeated text grows over 16 MiB", StatusCode::kOutOfRange);
    }
    if (count <= 0 || text.size() == 0) return Value::constant("");
    constexpr int64_t kBlock = 256;  // copies at a time, since appending one character costs more than the character
    TextBuilder builder(runtime.budget);
    for (int64_t i = 0; i < std::min(count, kBlock); ++i) builder.append(text);
    if (count <= kBlock) return Value::string(builder.finish());
    Text block = builder.finish();
    for (int64_t i = 0; i < count / kBlock; ++i) builder.append(block);
    builder.append(block, 0, text.size() * static_cast<size_t>(count % kBlock));
    return Value::string(builder.finish());
  }
  size_t size = sequence.items().size();
  if (count > 0 && size > 0 && static_cast<uint64_t>(count) > kMaxSteps / size) {
    throw TemplateError("a repeated list has more than 1,000,000 items", StatusCode::kOutOfRange);
  }
  Items items;
  for (int64_t i = 0; i < count && size > 0; ++i) items.insert(items.end(), sequence.items().begin(), sequence.items().end());
  runtime.budget.step(items.size());
  return sequence.is_list() ? Value::list(std::move(items), sequence.origin()) : Value::tuple(std::move(items), sequence.origin());
}

bool can_repeat(const Value& value) { return value.is_string() || value.is_sequence(); }

}  // namespace

Value arithmetic(Runtime& runtime, Arithmetic op, const Value& a, const Value& b) {
  if (op == Arithmetic::kModulo && a.is_string()) {
    return marked_like(a, printf_format(runtime, a.text(), a.is_markup() ? escaped_operands(runtime, b) : b));
  }
  if (a.is_undefined()) fail_undefined(a);
  if (op == Arithmetic::kAdd && a.is_string() && b.is_string()) return joined_texts(runtime, a, b);
  if (op == Arithmetic::kAdd && a.is_sequence() && a.kind() == b.kind()) return joined_items(runtime, a, b);
  if (op == Arithmetic::kMultiply && can_repeat(a) && b.is_integral()) return marked_like(a, repeated(runtime, a, b.as_int()));
  if (op == Arithmetic::kMultiply && can_repeat(b) && a.is_integral()) return marked_like(b, repeated(runtime, b, a.as_int()));
  if (b.is_undefined()) fail_undefined(b);
  if (!a.is_number() || !b.is_number()) fail_types(op, a, b);
  Origin origin = joint_origin(a, b);
  if (a.is_integral() && b.is_integral()) return integers(op, a.as_int(), b.as_int(), origin);
  return reals(op, a.as_double(), b.as_double(), origin);
}

Value negate(const Value& value) {
  if (value.is_undefined()) fail_undefined(value);
  if (value.is_integral()) return integers(Arithmetic::kSubtract, 0, value.as_int(), value.origin());
  if (value.is_float()) return Value::real(-value.as_double(), value.origin());
  throw TemplateError("bad operand type for unary -: '" + value.type_name() + "'");
}

Value positive(const Value& value) {
  if (value.is_undefined()) fail_undefined(value);
  if (value.is_integral()) return Value::integer(value.as_int(), value.origin());
  if (value.is_float()) return value;
  throw TemplateError("bad operand type for unary +: '" + value.type_name() + "'");
}

}  // namespace atelier::tokenize::jinja
