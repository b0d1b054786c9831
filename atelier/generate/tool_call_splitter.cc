#include "atelier/generate/tool_call_splitter.h"

#include <algorithm>
#include <utility>

#include "atelier/base/strings.h"
#include "atelier/generate/begun_sign.h"

namespace atelier::generate {
namespace {

constexpr std::string_view kSpace = " \n\r\t";
constexpr size_t kMaxName = 256;
constexpr size_t kMaxExpression = 1 << 16;

// name.call(a="x", b=3) -> {"a": "x", "b": 3}; nothing when it is not of this form.
std::optional<Json> arguments_of_expression(std::string_view text) {
  Json arguments = Json::object();
  while (!trim_ascii(text).empty()) {
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view key = trim_ascii(text.substr(0, equals));
    text = text.substr(equals + 1);
    bool is_in_string = false, is_escaped = false;
    size_t end = 0;
    for (; end < text.size() && (is_in_string || text[end] != ','); ++end) {
      if (is_escaped) {
        is_escaped = false;
      } else if (is_in_string && text[end] == '\\') {
        is_escaped = true;
      } else if (text[end] == '"') {
        is_in_string = !is_in_string;
      }
    }
    const std::string_view written = trim_ascii(text.substr(0, end));
    const auto value = Json::parse(written, "value");
    if (key.empty() || key.size() > kMaxName) return std::nullopt;
    arguments.set(key, value.ok() ? *value : Json(written));
    text = text.substr(std::min(end + 1, text.size()));
  }
  return arguments;
}

}  // namespace

ToolCallSplitter::ToolCallSplitter(const ToolFormat& format, std::vector<Tool> tools)
    : format_(format),
      tools_(std::move(tools)),
      begin_(trim_ascii(format.begin)),
      open_(trim_ascii(format.open)),
      middle_(trim_ascii(format.middle)),
      close_(trim_ascii(format.close)),
      end_(trim_ascii(format.end)),
      expression_(trim_ascii(format.expression)) {}

std::vector<ToolCallSplitter::Piece> ToolCallSplitter::push(std::string_view text) {
  pending_ += text;
  std::vector<Piece> out;
  while (step(out) == Move::kOn) continue;
  return out;
}

std::vector<ToolCallSplitter::Piece> ToolCallSplitter::finish() {
  std::vector<Piece> out;
  if (at_ == At::kExpression) {
    pending_ += "\n";
    while (step(out) == Move::kOn) continue;
  }
  if (at_ == At::kArguments) {
    arguments_.finish();
    tell_arguments(arguments_.take(), out);
  }
  const bool is_open_call = at_ == At::kCall || at_ == At::kName || at_ == At::kExpression || (at_ == At::kObject && !is_told_) ||
                            (at_ == At::kBetween && !raw_.empty());
  if (is_open_call) give_up(out);
  if (at_ == At::kText && (num_calls_ == 0 || !trim_ascii(pending_).empty())) say(std::exchange(pending_, {}), out);
  pending_.clear();
  return out;
}

ToolCallSplitter::Move ToolCallSplitter::step(std::vector<Piece>& out) {
  switch (at_) {
    case At::kText:
      return read_text(out);
    case At::kBetween:
      return read_between(out);
    case At::kCall:
      return read_call();
    case At::kName:
      return format_.is_tagged() ? read_tagged_name(out) : read_name();
    case At::kArguments:
      return read_arguments(out);
    case At::kObject:
      return read_object(out);
    case At::kListNext:
      return read_list_next();
    case At::kClose:
      return read_close();
    case At::kExpression:
      return read_expression(out);
  }
  return Move::kWait;
}

ToolCallSplitter::Move ToolCallSplitter::read_text(std::vector<Piece>& out) {
  const size_t first = std::min(pending_.find_first_not_of(kSpace), pending_.size());
  if (format_.may_be_bare && !has_said_ && first < pending_.size() && pending_[first] == '{') {
    raw_ = pending_.substr(0, first);
    pending_.erase(0, first);
    is_list_ = false;
    begin_object({});
    return Move::kOn;
  }
  size_t at = std::string::npos;
  std::string_view found;
  size_t held = 0;
  for (const std::string_view sign : {std::string_view(begin_), std::string_view(open_), std::string_view(expression_)}) {
    if (sign.empty()) continue;
    held = std::max(held, begun_sign(pending_, sign));
    const size_t here = pending_.find(sign);
    if (here < at) {
      at = here;
      found = sign;
    }
  }
  if (at == std::string::npos) {
    // White space before what may become a sign is held back with it.
    size_t end = pending_.size() - held;
    while (end > 0 && kSpace.find(pending_[end - 1]) != std::string_view::npos) --end;
    say(pending_.substr(0, end), out);
    pending_.erase(0, end);
    return Move::kWait;
  }
  const std::string before = pending_.substr(0, at);
  const size_t last = before.find_last_not_of(kSpace);
  say(before.substr(0, last == std::string::npos ? 0 : last + 1), out);
  raw_ = before.substr(last == std::string::npos ? 0 : last + 1) + std::string(found);
  pending_.erase(0, at + found.size());
  at_ = found == expression_ ? At::kExpression : found == open_ ? At::kCall : At::kBetween;
  return Move::kOn;
}

ToolCallSplitter::Move ToolCallSplitter::read_between(std::vector<Piece>& out) {
  if (!skip_space()) return Move::kWait;
  bool waits = false;
  if (!end_.empty() && take(end_, waits)) {
    at_ = At::kText;
    return Move::kOn;
  }
  if (open_.empty() && pending_[0] == ';') {
    raw_ = ";";
    pending_.erase(0, 1);
    begin_object({});
    return Move::kOn;
  }
  if (!open_.empty() && take(open_, waits)) {
    at_ = At::kCall;
    return Move::kOn;
  }
  if (waits) return Move::kWait;
  if (raw_.empty()) {
    at_ = At::kText;  // behind a call
  } else {
    give_up(out);
  }
  return Move::kOn;
}

ToolCallSplitter::Move ToolCallSplitter::read_call() {
  if (!skip_space()) return Move::kWait;
  if (!middle_.empty() || format_.is_tagged()) {
    at_ = At::kName;
    return Move::kOn;
  }
  is_list_ = pending_[0] == '[';
  if (is_list_) {
    raw_ += '[';
    pending_.erase(0, 1);
  }
  begin_object({});
  return Move::kOn;
}

ToolCallSplitter::Move ToolCallSplitter::read_name() {
  const size_t window = kMaxName + middle_.size();
  const size_t end = std::string_view(pending_).substr(0, window).find(middle_);
  const size_t bracket = pending_.find_first_of("[{<");  // a name has none; [CALL_ID]… may stand between it and the arguments
  const std::string_view name = trim_ascii(std::string_view(pending_).substr(0, std::min(end, bracket)));
  if (end == std::string::npos && pending_.size() < window) return Move::kWait;
  if (end == std::string::npos || find_tool(name) == nullptr) {
    begin_object({});  // whose name is not known yet, or whose first character gives it up
    return Move::kOn;
  }
  begin_object(ToolCallReader(std::string(name)));
  raw_ += pending_.substr(0, end + middle_.size());
  pending_.erase(0, end + middle_.size());
  return Move::kOn;
}

ToolCallSplitter::Move ToolCallSplitter::read_tagged_name(std::vector<Piece>& out) {
  const size_t end = pending_.find_first_of("<> \n\r\t");
  if (end == std::string::npos && pending_.size() <= kMaxName) return Move::kWait;
  const Tool* tool = find_tool(std::string_view(pending_).substr(0, end));
  if (tool == nullptr) {
    give_up(out);
    return Move::kOn;
  }
  pending_.erase(0, end);
  if (!middle_.empty() && pending_.starts_with(middle_)) pending_.erase(0, middle_.size());
  raw_.clear();
  out.push_back({"", num_calls_++, tool->name, ""});
  arguments_ = TaggedArguments(format_, tool->parameters);
  at_ = At::kArguments;
  return Move::kOn;
}

ToolCallSplitter::Move ToolCallSplitter::read_arguments(std::vector<Piece>& out) {
  const bool is_done = arguments_.read(pending_) == TaggedArguments::Step::kDone;
  tell_arguments(arguments_.take(), out);
  if (!is_done) return Move::kWait;
  at_ = At::kClose;
  return Move::kOn;
}

ToolCallSplitter::Move ToolCallSplitter::read_object(std::vector<Piece>& out) {
  size_t num_read = 0;
  auto state = ToolCallReader::Step::kMore;
  while (num_read < pending_.size() && state == ToolCallReader::Step::kMore) {
    state = reader_.push(pending_[num_read++]);
    if (!is_told_) raw_ += pending_[num_read - 1];
    if (!is_told_ && !reader_.name().empty() && find_tool(reader_.name()) == nullptr) state = ToolCallReader::Step::kBad;
    if (!is_told_ && state != ToolCallReader::Step::kBad && !reader_.name().empty()) {
      out.push_back({"", num_calls_++, reader_.name(), ""});
      is_told_ = true;
    }
  }
  pending_.erase(0, num_read);
  if (is_told_) tell_arguments(reader_.take_arguments(), out);
  if (state == ToolCallReader::Step::kMore) return Move::kWait;
  if (state == ToolCallReader::Step::kBad) {
    if (!is_told_) {
      give_up(out);
    } else {
      at_ = At::kText;
    }
    return Move::kOn;
  }
  at_ = is_list_ ? At::kListNext : At::kClose;
  return Move::kOn;
}

ToolCallSplitter::Move ToolCallSplitter::read_list_next() {
  if (!skip_space()) return Move::kWait;
  const char next = pending_[0];
  at_ = At::kClose;
  if (next != ',' && next != ']') return Move::kOn;
  pending_.erase(0, 1);
  if (next == ',') {
    raw_ = ",";
    begin_object({});
  }
  return Move::kOn;
}

ToolCallSplitter::Move ToolCallSplitter::read_close() {
  if (!skip_space()) return Move::kWait;
  bool waits = false;
  if (!close_.empty() && !take(close_, waits) && waits) return Move::kWait;
  raw_.clear();
  at_ = At::kBetween;
  return Move::kOn;
}

// NAME.call(…) up to the end of its line.
ToolCallSplitter::Move ToolCallSplitter::read_expression(std::vector<Piece>& out) {
  if (!skip_space()) return Move::kWait;
  if (pending_[0] == '{') {
    begin_object({});
    return Move::kOn;
  }
  const size_t line = std::string_view(pending_).substr(0, kMaxExpression).find('\n');
  if (line == std::string::npos) {
    if (pending_.size() < kMaxExpression) return Move::kWait;
    give_up(out);
    return Move::kOn;
  }
  const std::string_view text = trim_ascii(std::string_view(pending_).substr(0, line));
  const size_t call = text.find(".call(");
  const std::string name(text.substr(0, std::min(call, text.size())));
  const auto arguments = call != std::string_view::npos && text.ends_with(')') && find_tool(name) != nullptr
                             ? arguments_of_expression(text.substr(call + 6, text.size() - call - 7))
                             : std::nullopt;
  if (!arguments) {
    give_up(out);
    return Move::kOn;
  }
  out.push_back({"", num_calls_, name, ""});
  out.push_back({"", num_calls_++, "", arguments->dump()});
  pending_.erase(0, line);
  raw_.clear();
  at_ = At::kBetween;
  return Move::kOn;
}

void ToolCallSplitter::say(std::string text, std::vector<Piece>& out) {
  if (text.empty()) return;
  has_said_ = has_said_ || !trim_ascii(text).empty();
  out.push_back({std::move(text), std::nullopt, "", ""});
}

void ToolCallSplitter::give_up(std::vector<Piece>& out) {
  say(std::exchange(raw_, {}), out);
  has_said_ = true;
  at_ = At::kText;
}

void ToolCallSplitter::begin_object(ToolCallReader reader) {
  reader_ = std::move(reader);
  is_told_ = false;
  at_ = At::kObject;
}

void ToolCallSplitter::tell_arguments(std::string arguments, std::vector<Piece>& out) {
  raw_.clear();
  if (!arguments.empty()) out.push_back({"", num_calls_ - 1, "", std::move(arguments)});
}

bool ToolCallSplitter::skip_space() {
  const size_t first = std::min(pending_.find_first_not_of(kSpace), pending_.size());
  if (at_ != At::kClose && !(at_ == At::kBetween && raw_.empty())) raw_ += pending_.substr(0, first);
  pending_.erase(0, first);
  return !pending_.empty();
}

bool ToolCallSplitter::take(std::string_view sign, bool& waits) {
  if (pending_.starts_with(sign)) {
    raw_ += sign;
    pending_.erase(0, sign.size());
    return true;
  }
  waits = waits || sign.starts_with(pending_);
  return false;
}

const Tool* ToolCallSplitter::find_tool(std::string_view name) const {
  const auto found = std::find_if(tools_.begin(), tools_.end(), [&](const Tool& tool) { return tool.name == name; });
  return found != tools_.end() ? &*found : nullptr;
}

}  // namespace atelier::generate
