// `atelier tag MODEL TEXT…`: entities or word classes, by a tuned head.
#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/cli/encoder_options.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/text_lines.h"
#include "atelier/models/head_outputs.h"

namespace atelier::cli {
namespace {

struct TagArgs {
  EncoderOptions model;
  TextLines texts;
};

void print(const Json& line, const std::string& text, std::span<const models::TaggedSpan> spans, Console& console) {
  if (console.is_json) {
    Json record = line, entities = Json::array();
    for (const auto& [label, begin, end, score] : spans) {
      Json entity = Json::object().set("label", label).set("text", text.substr(begin, end - begin)).set("begin", begin).set("end", end);
      entities.push_back(entity.set("score", score));
    }
    console.out << record.set("entities", std::move(entities)).dump() << "\n";
    return;
  }
  console.out << text << "\n";
  for (const auto& [label, begin, end, score] : spans) {
    console.out << fmt::format("  {:<12} {:6.2f} %  {}\n", label, 100 * score, text.substr(begin, end - begin));
  }
}

Status run(const TagArgs& args, Console& console) {
  ATELIER_TRY(const auto model, args.model.load_with_head("tag", {nn::HeadKind::kToken}));
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model->tokenizer());
  return args.texts.for_each_part([&](std::span<const Json> lines) -> Status {
    for (const Json& line : lines) {
      if (is_interrupted()) return Status::cancelled("tag: interrupted; run it again");
      ATELIER_TRY(const std::string text, line.get_string("text"));
      ATELIER_TRY(const models::EncoderInput input, models::encode_text(*tokenizer, text, model->context()));
      const nn::RowRun run = models::run_of(input);
      ATELIER_RETURN_IF_ERROR(model->run(input.ids, std::span(&run, 1)));
      print(line, text, models::tagged_spans(model->spec().head, model->task_logits(), input), console);
    }
    return {};
  });
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<TagArgs>();
  options->model.declare(args);
  args.group("Options");
  options->texts.declare(args);
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_tag;
const CommandDef command_tag = {"tag", "run", "entities in texts, by a tuned head", "atelier tag runs/ner \"Marie lives in Lyon.\"",
                                declare};

}  // namespace atelier::cli
