#include "atelier/text/regex_program.h"

#include <algorithm>
#include <string>

namespace atelier::text {
namespace {

constexpr size_t kMaxInstructions = 100'000;
constexpr uint32_t kNoFixedLength = kRegexUnbounded;

bool may_be_empty(const RegexNode& node) {
  const auto empty = [](const RegexNode& child) { return may_be_empty(child); };
  switch (node.kind) {
    case RegexKind::kSet:
      return false;
    case RegexKind::kSequence:
      return std::all_of(node.children.begin(), node.children.end(), empty);
    case RegexKind::kAlternation:
      return std::any_of(node.children.begin(), node.children.end(), empty);
    case RegexKind::kRepeat:
      return node.min == 0 || may_be_empty(node.children[0]);
    case RegexKind::kAtomic:
      return may_be_empty(node.children[0]);
    default:
      return true;
  }
}

// Code points that every match of `node` has, or kNoFixedLength.
uint32_t fixed_length(const RegexNode& node) {
  switch (node.kind) {
    case RegexKind::kSet:
      return 1;
    case RegexKind::kSequence: {
      uint64_t total = 0;
      for (const RegexNode& child : node.children) total += fixed_length(child);
      return total >= kNoFixedLength ? kNoFixedLength : static_cast<uint32_t>(total);
    }
    case RegexKind::kAlternation: {
      const uint32_t length = fixed_length(node.children[0]);
      for (const RegexNode& child : node.children) {
        if (fixed_length(child) != length) return kNoFixedLength;
      }
      return length;
    }
    case RegexKind::kRepeat: {
      const uint64_t length = uint64_t{fixed_length(node.children[0])} * node.min;
      return node.min != node.max || length >= kNoFixedLength ? kNoFixedLength : static_cast<uint32_t>(length);
    }
    case RegexKind::kAtomic:
      return fixed_length(node.children[0]);
    default:
      return 0;
  }
}

// Adds the bytes that a non-empty match of `node` may start with.
void add_first_bytes(const RegexNode& node, std::bitset<256>& bytes) {
  switch (node.kind) {
    case RegexKind::kSet:
      for (char32_t c = 0; c < 0x80; ++c) bytes[c] = bytes[c] || node.set->contains(c);
      if (node.set->contains_non_ascii()) {
        for (size_t lead = 0xC2; lead <= 0xF4; ++lead) bytes.set(lead);
      }
      return;
    case RegexKind::kSequence:
      for (const RegexNode& child : node.children) {
        add_first_bytes(child, bytes);
        if (!may_be_empty(child)) return;
      }
      return;
    case RegexKind::kAlternation:
    case RegexKind::kRepeat:
    case RegexKind::kAtomic:
      for (const RegexNode& child : node.children) add_first_bytes(child, bytes);
      return;
    default:
      return;  // zero-width: the next element decides
  }
}

class Compiler {
 public:
  explicit Compiler(RegexProgram& program) : program_(program), code_(program.code) {}

  Status emit(const RegexNode& node) {
    if (code_.size() > kMaxInstructions) {
      return Status::out_of_range("the pattern expands to more than " + std::to_string(kMaxInstructions) + " instructions");
    }
    switch (node.kind) {
      case RegexKind::kEmpty:
        return {};
      case RegexKind::kSet:
        return add(RegexOp::kSet).set = node.set, Status{};
      case RegexKind::kSequence:
        for (const RegexNode& child : node.children) ATELIER_RETURN_IF_ERROR(emit(child));
        return {};
      case RegexKind::kAlternation:
        return emit_alternation(node.children);
      case RegexKind::kRepeat:
        return emit_repeat(node);
      case RegexKind::kAssertion:
        return add(RegexOp::kAssert).assertion = node.assertion, Status{};
      case RegexKind::kLook:
        return emit_look(node);
      case RegexKind::kAtomic:
        return emit_sub_program(RegexOp::kAtomic, node.children[0]);
    }
    return {};
  }

  RegexInstruction& add(RegexOp op) {
    code_.emplace_back().op = op;
    return code_.back();
  }

 private:
  uint32_t here() const { return static_cast<uint32_t>(code_.size()); }

  Status emit_alternation(const std::vector<RegexNode>& alternatives) {
    std::vector<uint32_t> jumps;
    for (size_t i = 0; i + 1 < alternatives.size(); ++i) {
      const uint32_t split = here();
      add(RegexOp::kSplit).target = split + 1;
      ATELIER_RETURN_IF_ERROR(emit(alternatives[i]));
      jumps.push_back(here());
      add(RegexOp::kJump);
      code_[split].other = here();
    }
    ATELIER_RETURN_IF_ERROR(emit(alternatives.back()));
    for (const uint32_t jump : jumps) code_[jump].target = here();
    return {};
  }

  Status emit_repeat(const RegexNode& node) {
    const RegexNode& body = node.children[0];
    if (body.kind == RegexKind::kSet && node.greed != RegexGreed::kLazy) {
      RegexInstruction& loop = add(RegexOp::kSetLoop);
      loop.set = body.set;
      loop.min = node.min;
      loop.max = node.max;
      loop.is_possessive = node.greed == RegexGreed::kPossessive;
      return {};
    }
    if (node.greed == RegexGreed::kPossessive) {
      RegexNode greedy = node;
      greedy.greed = RegexGreed::kGreedy;
      return emit_sub_program(RegexOp::kAtomic, greedy);
    }
    for (uint32_t i = 0; i < node.min; ++i) ATELIER_RETURN_IF_ERROR(emit(body));
    if (node.max == kRegexUnbounded) return emit_star(body, node.greed == RegexGreed::kLazy);
    return emit_optional(body, node.max - node.min, node.greed == RegexGreed::kLazy);
  }

  //   L: split body, exit;  body: [begin] … [check]; jump L;  exit:
  Status emit_star(const RegexNode& body, bool is_lazy) {
    const bool is_guarded = may_be_empty(body);
    const uint32_t slot = is_guarded ? program_.num_slots++ : 0;
    const uint32_t split = here();
    add(RegexOp::kSplit);
    if (is_guarded) add(RegexOp::kLoopBegin).slot = slot;
    ATELIER_RETURN_IF_ERROR(emit(body));
    const uint32_t check = here();
    if (is_guarded) add(RegexOp::kLoopCheck).slot = slot;
    add(RegexOp::kJump).target = split;
    if (is_guarded) code_[check].target = here();
    set_branches(split, split + 1, here(), is_lazy);
    return {};
  }

  // (body(body(…)?)?)? without nesting: every split leaves to the common end.
  Status emit_optional(const RegexNode& body, uint32_t count, bool is_lazy) {
    std::vector<uint32_t> splits;
    for (uint32_t i = 0; i < count; ++i) {
      splits.push_back(here());
      add(RegexOp::kSplit);
      ATELIER_RETURN_IF_ERROR(emit(body));
    }
    for (const uint32_t split : splits) set_branches(split, split + 1, here(), is_lazy);
    return {};
  }

  void set_branches(uint32_t split, uint32_t body, uint32_t exit, bool is_lazy) {
    code_[split].target = is_lazy ? exit : body;
    code_[split].other = is_lazy ? body : exit;
  }

  Status emit_sub_program(RegexOp op, const RegexNode& body) {
    const uint32_t head = here();
    add(op);
    ATELIER_RETURN_IF_ERROR(emit(body));
    add(RegexOp::kAccept);
    code_[head].target = here();
    return {};
  }

  Status emit_look(const RegexNode& node) {
    const RegexNode& body = node.children[0];
    if (!node.is_behind) {
      const uint32_t head = here();
      ATELIER_RETURN_IF_ERROR(emit_sub_program(RegexOp::kAhead, body));
      code_[head].is_negative = node.is_negative;
      return {};
    }
    // Alternatives of different lengths: (?<=a|bc) tries each; (?<!a|bc) is (?<!a)(?<!bc).
    const bool is_alternation = body.kind == RegexKind::kAlternation && fixed_length(body) == kNoFixedLength;
    const std::vector<RegexNode> whole = {body};
    const std::vector<RegexNode>& alternatives = is_alternation ? body.children : whole;
    std::vector<uint32_t> jumps;
    for (size_t i = 0; i < alternatives.size(); ++i) {
      const bool is_choice = !node.is_negative && i + 1 < alternatives.size();
      const uint32_t split = here();
      if (is_choice) add(RegexOp::kSplit).target = split + 1;
      ATELIER_RETURN_IF_ERROR(emit_behind(alternatives[i], node.is_negative));
      if (!is_choice) continue;
      jumps.push_back(here());
      add(RegexOp::kJump);
      code_[split].other = here();
    }
    for (const uint32_t jump : jumps) code_[jump].target = here();
    return {};
  }

  Status emit_behind(const RegexNode& body, bool is_negative) {
    const uint32_t length = fixed_length(body);
    if (length == kNoFixedLength) return Status::unsupported("a look-behind of variable length is not supported");
    const uint32_t head = here();
    ATELIER_RETURN_IF_ERROR(emit_sub_program(RegexOp::kBehind, body));
    code_[head].is_negative = is_negative;
    code_[head].length = length;
    return {};
  }

  RegexProgram& program_;
  std::vector<RegexInstruction>& code_;
};

}  // namespace

Result<std::shared_ptr<const RegexProgram>> compile_regex(const RegexTree& tree) {
  auto program = std::make_shared<RegexProgram>();
  program->word = tree.word;
  Compiler compiler(*program);
  const std::vector<RegexNode> whole = {tree.root};
  const bool is_alternation = tree.root.kind == RegexKind::kAlternation;
  for (const RegexNode& node : is_alternation ? tree.root.children : whole) {
    RegexProgram::Alternative alternative{static_cast<uint32_t>(program->code.size()), {}, may_be_empty(node)};
    add_first_bytes(node, alternative.first_bytes);
    ATELIER_RETURN_IF_ERROR(compiler.emit(node));
    compiler.add(RegexOp::kAccept);
    program->alternatives.push_back(alternative);
  }
  return std::shared_ptr<const RegexProgram>(std::move(program));
}

}  // namespace atelier::text
