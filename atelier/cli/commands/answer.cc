// `atelier answer MODEL --question Q --text FILE`: where in a text the answer to a question stands, by a tuned head.
#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/cli/encoder_options.h"
#include "atelier/cli/inputs.h"
#include "atelier/models/head_outputs.h"

namespace atelier::cli {
namespace {

struct AnswerArgs {
  EncoderOptions model;
  std::string question;
  std::optional<std::string> text, file;
  int64_t top = 1, max_tokens = 15;
};

Status run(const AnswerArgs& args, Console& console) {
  ATELIER_TRY(const std::string text, input_text(args.text, args.file, "--text", console));
  ATELIER_TRY(const auto model, args.model.load_with_head("answer", {nn::HeadKind::kSpan}));
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model->tokenizer());
  ATELIER_TRY(const models::EncoderInput input,
              models::encode_pair(*tokenizer, args.question, text, model->context(), {.is_second_cut_only = true}));
  const nn::RowRun run = models::run_of(input);
  ATELIER_RETURN_IF_ERROR(model->run(input.ids, std::span(&run, 1)));
  const auto answers = models::best_answers(model->task_logits(), input, args.max_tokens, static_cast<size_t>(args.top));
  Json list = Json::array();
  for (const auto& [begin, end, score] : answers) {
    const std::string answer = text.substr(begin, end - begin);
    list.push_back(Json::object().set("text", answer).set("begin", begin).set("end", end).set("score", score));
    if (!console.is_json) console.out << fmt::format("{:6.2f} %  {}\n", 100 * score, answer);
  }
  if (console.is_json) console.out << Json::object().set("answers", std::move(list)).dump() << "\n";
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<AnswerArgs>();
  options->model.declare(args);
  args.group("Options");
  args.positional("QUESTION", options->question, "what is asked");
  args.option("--text", options->text, "TEXT", "where the answer stands");
  args.option("-f,--file", options->file, "FILE", "a file in place of --text; - is stdin");
  args.option("--top", options->top, "N", "how many answers to show", {1, 1000});
  args.option("--max-tokens", options->max_tokens, "N", "of an answer", {1, 1000});
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_answer;
const CommandDef command_answer = {"answer", "run", "the part of a text that answers a question, by a tuned head",
                                   "atelier answer runs/squad \"Who built it?\" --file article.txt", declare};

}  // namespace atelier::cli
