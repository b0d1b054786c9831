#include "atelier/text/regex.h"

#include <algorithm>
#include <vector>

#include "atelier/base/strings.h"
#include "atelier/text/regex_program.h"
#include "atelier/text/utf8.h"

namespace atelier::text {
namespace {

constexpr size_t kNoMatch = static_cast<size_t>(-1);
constexpr uint64_t kStepsBeforeMemo = 64;  // per byte of text, plus the constant below
constexpr uint64_t kFreeSteps = 4096;
constexpr uint64_t kStepLimit = 4096;  // per byte of text, plus the constant below
constexpr uint64_t kMinStepLimit = 10'000'000;

// One text, all its matches. Failures stay remembered between searches: whether a state fails at a position does not depend on
// where the search began.
class Matcher {
 public:
  Matcher(const RegexProgram& program, std::string_view text)
      : code_(program.code), program_(program), text_(text), slots_(program.num_slots) {}

  // The end of the match that starts at `start`, or kNoMatch.
  size_t match_at(size_t start) {
    const bool is_end = start == text_.size();
    for (const RegexProgram::Alternative& alternative : program_.alternatives) {
      const bool can_start = !is_end && alternative.first_bytes[static_cast<unsigned char>(text_[start])];
      if (!can_start && !alternative.may_be_empty) continue;
      const size_t end = run(alternative.start, start);
      if (end != kNoMatch) return end;
    }
    return kNoMatch;
  }

  // True once the text costs more than any tokenizer's pattern should.
  bool is_exhausted() const { return steps_ > kMinStepLimit + kStepLimit * text_.size(); }

 private:
  enum class FrameKind : uint8_t { kBranch, kGiveBack, kRestoreSlot, kRememberFailure };
  struct Frame {
    FrameKind kind;
    uint32_t pc;  // where to go on; the slot for kRestoreSlot
    size_t position;
    size_t low;  // kGiveBack: the loop keeps at least up to here
  };

  size_t run(uint32_t pc, size_t position) {
    const size_t base = stack_.size();
    while (true) {
      ++steps_;
      const RegexInstruction& instruction = code_[pc];
      bool goes_on = true;
      switch (instruction.op) {
        case RegexOp::kAccept:
          stack_.resize(base);
          return position;
        case RegexOp::kSet:
          goes_on = consume(*instruction.set, position), ++pc;
          break;
        case RegexOp::kSetLoop:
          goes_on = loop(instruction, pc, position), ++pc;
          break;
        case RegexOp::kSplit:
          goes_on = split(instruction, pc, position), pc = instruction.target;
          break;
        case RegexOp::kJump:
          pc = instruction.target;
          break;
        case RegexOp::kAssert:
          goes_on = holds(instruction.assertion, position), ++pc;
          break;
        case RegexOp::kAhead:
          goes_on = (run(pc + 1, position) != kNoMatch) != instruction.is_negative;
          pc = instruction.target;
          break;
        case RegexOp::kBehind:
          goes_on = matches_behind(instruction, pc, position) != instruction.is_negative;
          pc = instruction.target;
          break;
        case RegexOp::kAtomic: {
          const size_t end = run(pc + 1, position);
          goes_on = end != kNoMatch;
          position = end;
          pc = instruction.target;
          break;
        }
        case RegexOp::kLoopBegin:
          stack_.push_back({FrameKind::kRestoreSlot, instruction.slot, slots_[instruction.slot], 0});
          slots_[instruction.slot] = position;
          ++pc;
          break;
        case RegexOp::kLoopCheck:
          pc = slots_[instruction.slot] != position ? pc + 1 : instruction.target;
          break;
      }
      if (!goes_on && (is_exhausted() || !backtrack(base, pc, position))) {
        unwind(base);
        return kNoMatch;
      }
    }
  }

  // Takes the youngest frame above `base` that gives another way; false when there is none.
  bool backtrack(size_t base, uint32_t& pc, size_t& position) {
    while (stack_.size() > base) {
      Frame& frame = stack_.back();
      switch (frame.kind) {
        case FrameKind::kBranch:
          pc = frame.pc;
          position = frame.position;
          stack_.pop_back();
          return true;
        case FrameKind::kGiveBack:
          if (frame.position > frame.low) {
            frame.position = previous_character(text_, frame.position);
            pc = frame.pc + 1;
            position = frame.position;
            return true;
          }
          break;
        case FrameKind::kRestoreSlot:
          slots_[frame.pc] = frame.position;
          break;
        case FrameKind::kRememberFailure:
          remember_failures(frame.pc, frame.low, frame.position);
          break;
      }
      stack_.pop_back();
    }
    return false;
  }

  void unwind(size_t base) {
    for (; stack_.size() > base; stack_.pop_back()) {
      if (stack_.back().kind == FrameKind::kRestoreSlot) slots_[stack_.back().pc] = stack_.back().position;
    }
  }

  bool consume(const CharSet& set, size_t& position) const {
    if (position >= text_.size()) return false;
    size_t length = 0;
    if (!set.contains(decode_utf8(text_, position, length))) return false;
    position += length;
    return true;
  }

  bool split(const RegexInstruction& instruction, uint32_t pc, size_t position) {
    if (uses_memo()) {
      if (has_failed(pc, position)) return false;
      stack_.push_back({FrameKind::kRememberFailure, pc, position, position});
    }
    stack_.push_back({FrameKind::kBranch, instruction.other, position, 0});
    return true;
  }

  bool loop(const RegexInstruction& instruction, uint32_t pc, size_t& position) {
    uint32_t count = 0;
    for (; count < instruction.min; ++count) {
      if (!consume(*instruction.set, position)) return false;
    }
    const size_t low = position;
    // Only where the number of repetitions left does not depend on the way here do failures carry over.
    const bool is_remembered = instruction.max == kRegexUnbounded && uses_memo();
    if (is_remembered && instruction.is_possessive) {
      position = run_end(instruction, pc, low);
      return true;
    }
    if (is_remembered && has_failed(pc, low)) return false;
    bool meets_failure = false;
    while (count < instruction.max && consume(*instruction.set, position)) {
      ++count;
      if (is_remembered && has_failed(pc, position)) {
        meets_failure = true;
        break;
      }
    }
    steps_ += count;
    if (instruction.is_possessive) return true;
    if (is_remembered) stack_.push_back({FrameKind::kRememberFailure, pc, position, low});
    if (position > low) stack_.push_back({FrameKind::kGiveBack, pc, position, low});
    // From a position that failed before there is nothing to try but to give characters back.
    return !meets_failure;
  }

  // Where a possessive loop over `set` ends that passes through `position`: the same for the whole run of characters.
  size_t run_end(const RegexInstruction& instruction, uint32_t pc, size_t position) {
    if (run_ends_.empty()) run_ends_.resize(code_.size());
    auto& [begin, end] = run_ends_[pc];
    if (position >= begin && position < end) return end;
    begin = end = position;
    while (consume(*instruction.set, end)) ++steps_;
    return end;
  }

  bool matches_behind(const RegexInstruction& instruction, uint32_t pc, size_t position) {
    size_t start = position;
    for (uint32_t i = 0; i < instruction.length; ++i) {
      if (start == 0) return false;
      start = previous_character(text_, start);
    }
    return run(pc + 1, start) != kNoMatch;
  }

  bool holds(RegexAssertion assertion, size_t position) const {
    const bool is_begin = position == 0, is_end = position == text_.size();
    switch (assertion) {
      case RegexAssertion::kTextBegin:
        return is_begin;
      case RegexAssertion::kTextEnd:
        return is_end;
      case RegexAssertion::kTextEndOrFinalNewline:
        return is_end || (position + 1 == text_.size() && text_[position] == '\n');
      case RegexAssertion::kLineBegin:
        return is_begin || (text_[position - 1] == '\n' && !is_end);
      case RegexAssertion::kLineEnd:
        return is_end || text_[position] == '\n';
      case RegexAssertion::kWordBorder:
        return is_word_border(position);
      case RegexAssertion::kNoWordBorder:
        return !is_word_border(position);
    }
    return false;
  }

  bool is_word_border(size_t position) const {
    size_t after = position, before = position == 0 ? 0 : previous_character(text_, position);
    return (position > 0 && consume(*program_.word, before)) != consume(*program_.word, after);
  }

  bool uses_memo() const { return steps_ > kFreeSteps + kStepsBeforeMemo * text_.size(); }

  bool has_failed(uint32_t pc, size_t position) const { return !failed_.empty() && !failed_[pc].empty() && failed_[pc][position]; }

  // For loops: every position from `low` to `high` inside the run.
  void remember_failures(uint32_t pc, size_t low, size_t high) {
    if (is_exhausted()) return;
    if (failed_.empty()) failed_.resize(code_.size());
    if (failed_[pc].empty()) failed_[pc].resize(text_.size() + 1);
    for (size_t position = low; position <= high; ++position) failed_[pc][position] = true;
  }

  const std::vector<RegexInstruction>& code_;
  const RegexProgram& program_;
  std::string_view text_;
  std::vector<Frame> stack_;
  std::vector<size_t> slots_;
  std::vector<std::vector<bool>> failed_;            // by instruction and position; empty where nothing failed
  std::vector<std::pair<size_t, size_t>> run_ends_;  // by instruction: the last run of a possessive loop
  uint64_t steps_ = 0;
};

}  // namespace

Result<Regex> Regex::compile(std::string_view pattern, const std::string& name) {
  Result<RegexTree> tree = parse_regex(pattern);
  if (!tree.ok()) return tree.status().with_context(name + ": pattern " + quoted(pattern));
  auto program = compile_regex(*tree);
  if (!program.ok()) return program.status().with_context(name + ": pattern " + quoted(pattern));
  return Regex(std::move(program).value());
}

Status Regex::find_all(std::string_view text, FunctionRef<void(size_t, size_t)> visit) const {
  Matcher matcher(*program_, text);
  size_t last_end = kNoMatch;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = matcher.match_at(start);
    if (matcher.is_exhausted()) {
      return Status::out_of_range("a regular expression needs too many steps on " + std::to_string(text.size()) +
                                  " bytes of text; give it shorter texts");
    }
    if (end != kNoMatch && !(end == start && start == last_end)) {
      visit(start, end);
      last_end = end;
    }
    if (end != kNoMatch && end > start) {
      start = end;
    } else {
      start += start < text.size() ? utf8_length(text[start]) : 1;
    }
  }
  return {};
}

}  // namespace atelier::text
