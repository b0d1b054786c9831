// `atelier classify MODEL TEXT…`: labels of texts or pairs of texts, numbers where the head gives those.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/cli/encoder_options.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/text_lines.h"
#include "atelier/models/head_outputs.h"

namespace atelier::cli {
namespace {

struct ClassifyArgs {
  EncoderOptions model;
  TextLines texts;
  bool are_pairs = false;
};

// With --pair texts of the command line come in twos: {"text": A, "pair": B}.
Result<std::vector<Json>> joined(std::span<const Json> lines, bool are_pairs) {
  std::vector<Json> out;
  for (size_t i = 0; i < lines.size(); ++i) {
    out.push_back(lines[i]);
    if (!are_pairs || lines[i].contains("pair")) continue;
    if (i + 1 == lines.size()) return Status::invalid("pair: the last text has no second one; give texts in twos");
    ATELIER_TRY(const std::string second, lines[++i].get_string("text"));
    out.back().set("pair", second);
  }
  return out;
}

Result<models::EncoderInput> input_of(const Json& line, const models::Model& model) {
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model.tokenizer());
  ATELIER_TRY(const std::string text, line.get_string("text"));
  if (!line.contains("pair")) return models::encode_text(*tokenizer, text, model.context());
  ATELIER_TRY(const std::string second, line.get_string("pair"));
  return models::encode_pair(*tokenizer, text, second, model.context());
}

void print(const Json& line, const nn::HeadSpec& head, std::span<const double> values, Console& console) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return values[a] > values[b]; });
  const auto name = [&](size_t label) { return models::label_name(head, static_cast<int64_t>(label)); };
  if (console.is_json) {
    Json record = line, all = Json::object();
    for (size_t i = 0; i < values.size(); ++i) all.set(name(i), values[i]);
    if (head.problem == nn::ProblemKind::kOneLabel) record.set("label", name(order[0]));
    console.out << record.set("values", std::move(all)).dump() << "\n";
    return;
  }
  const bool is_number = head.problem == nn::ProblemKind::kRegression;
  console.out << line.find("text")->as_string();
  if (const Json* second = line.find("pair")) console.out << " | " << second->as_string();
  console.out << "\n";
  for (const size_t label : order) {
    console.out << (is_number ? fmt::format("  {:9.4f}  {}\n", values[label], name(label))
                              : fmt::format("  {:6.2f} %  {}\n", 100 * values[label], name(label)));
  }
}

Status run(const ClassifyArgs& args, Console& console) {
  ATELIER_TRY(const auto model, args.model.load_with_head("classify", {nn::HeadKind::kSequence, nn::HeadKind::kNextSentence}));
  const nn::HeadSpec& head = model->spec().head;
  const bool are_pairs = args.are_pairs || head.kind == nn::HeadKind::kNextSentence;
  return args.texts.for_each_part([&](std::span<const Json> part) -> Status {
    ATELIER_TRY(const std::vector<Json> lines, joined(part, are_pairs));
    for (const Json& line : lines) {
      if (is_interrupted()) return Status::cancelled("classify: interrupted; run it again");
      ATELIER_TRY(const models::EncoderInput input, input_of(line, *model));
      const nn::RowRun run = models::run_of(input);
      ATELIER_RETURN_IF_ERROR(model->run(input.ids, std::span(&run, 1)));
      print(line, head, models::label_values(head, model->task_logits()), console);
    }
    return {};
  });
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<ClassifyArgs>();
  options->model.declare(args);
  args.group("Options");
  options->texts.declare(args);
  args.flag("--pair", options->are_pairs, "texts come in twos: A B (in JSON Lines the second is \"pair\")");
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_classify;
const CommandDef command_classify = {"classify", "run", "labels of texts or pairs of texts, by a tuned head",
                                     "atelier classify bert-base-uncased --pair \"It rained all day.\" \"We stayed at home.\"", declare};

}  // namespace atelier::cli
