// `atelier generate MODEL --prompt TEXT`: completion of a text; of a decoder with an encoder, its answer to the text.
#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "atelier/cli/adapter_options.h"
#include "atelier/cli/batch_run.h"
#include "atelier/cli/beam_options.h"
#include "atelier/cli/constraint_options.h"
#include "atelier/cli/engine_options.h"
#include "atelier/cli/generation_output.h"
#include "atelier/cli/inputs.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/model_options.h"
#include "atelier/cli/sampling_options.h"
#include "atelier/generate/default_answer.h"

namespace atelier::cli {
namespace {

struct GenerateArgs {
  ModelOptions model;
  SamplingArgs sampling;
  ConstraintArgs constraint;
  EngineArgs engine;
  BatchArgs batch;
  BeamArgs beams;
  RuleArgs rules;
  AdapterArgs adapters;
  std::optional<std::string> prompt, file;
  int64_t max_tokens = -1;
  std::vector<std::string> stops;
  int64_t num_top = 0;
  std::string logprobs = "model";
  bool report_prompt = false, ignore_eos = false, parse_special = false;
};

struct Reports {
  std::vector<generate::TokenReport> prompt, answer;
};

Result<generate::GenerateOptions> generate_options(GenerateArgs& args, const models::Model& model, const Console& console) {
  generate::GenerateOptions options;
  const auto defaults = args.beams.is_given() ? SamplingArgs::Defaults::kLikeliest : SamplingArgs::Defaults::kModel;
  ATELIER_TRY(options.sampling, args.sampling.resolve(model, console, defaults));
  options.beams = args.beams.options();
  options.rules = args.rules.rules(generate::default_rules(model.defaults()));
  options.max_tokens = args.max_tokens >= 0 || !model.has_encoder() ? args.max_tokens : generate::default_max_tokens(model.defaults());
  if (!args.ignore_eos) options.stop_ids = model.defaults().stop_ids;
  options.stop_strings = args.stops;
  options.num_top = static_cast<int>(args.num_top);
  options.report_prompt = args.report_prompt;
  options.report_sampled = args.logprobs == "sampled";
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model.tokenizer());
  ATELIER_RETURN_IF_ERROR(args.constraint.apply(*tokenizer, options));
  return options;
}

generate::GenerateHooks hooks_for(const GenerateArgs& args, Console& console, Reports& reports) {
  generate::GenerateHooks hooks;
  hooks.on_prompt_token = [&reports](const generate::TokenReport& report) { reports.prompt.push_back(report); };
  if (args.num_top > 0 || (console.is_json && !args.beams.is_given())) {
    hooks.on_token = [&reports](const generate::TokenReport& report) { reports.answer.push_back(report); };
  }
  if (!console.is_json) {
    hooks.on_text = [&console](std::string_view text) { console.out << text << std::flush; };
  }
  hooks.is_cancelled = is_interrupted;
  return hooks;
}

void print_json(const GenerateArgs& args, const generate::Generation& generation, const generate::GenerateOptions& options,
                const Reports& reports, const generate::TokenText& text, std::ostream& out) {
  Json ids = Json::array();
  for (const int32_t id : generation.ids) ids.push_back(id);
  Json json = Json::object().set("text", generation.text).set("ids", std::move(ids));
  add_statistics(generation, json);
  if (args.beams.is_given()) {
    json.set("beams", beams_json(generation.beams));
  } else {
    json.set("seed", static_cast<int64_t>(options.sampling.seed)).set("tokens", reports_json(reports.answer, text));
  }
  if (args.report_prompt) json.set("prompt_token_logprobs", reports_json(reports.prompt, text));
  out << json.dump() << "\n";
}

Status run_one(GenerateArgs& args, const std::string& prompt, const generate::GenerateOptions& options, const models::Model& model,
               const tokenize::Tokenizer& tokenizer, generate::Engine& engine, Console& console) {
  tokenize::EncodeOptions encode;
  encode.parse_special = args.parse_special;
  ATELIER_TRY(const tokenize::Encoding encoding, tokenizer.encode(prompt, encode));
  const generate::TokenText token_text(tokenizer);
  Reports reports;
  if (!console.is_json && !model.has_encoder()) console.out << prompt << std::flush;
  ATELIER_TRY(const generate::Generation generation, engine.generate({encoding.ids, options, hooks_for(args, console, reports)}));
  if (console.is_json) {
    print_json(args, generation, options, reports, token_text, console.out);
  } else {
    console.out << "\n";
    if (args.report_prompt) print_reports(reports.prompt, options.num_top, token_text, console.out);
    if (args.num_top > 0) print_reports(reports.answer, options.num_top, token_text, console.out);
  }
  explain_finish(generation, engine.context(), "raise --context or shorten the prompt");
  return {};
}

Status run_batch(const GenerateArgs& args, const generate::GenerateOptions& options, const tokenize::Tokenizer& tokenizer,
                 generate::Engine& engine, Console& console) {
  const auto prepare = [&](const BatchLine& line) -> Result<BatchArgs::Prepared> {
    if (!line.messages.is_null()) return Status::invalid("messages: given, a completion takes a prompt; use atelier chat");
    tokenize::EncodeOptions encode;
    encode.parse_special = args.parse_special;
    ATELIER_TRY(tokenize::Encoding encoding, tokenizer.encode(line.prompt, encode));
    return BatchArgs::Prepared{std::move(encoding.ids), [](const generate::Generation& generation, Json& record) {
                                 record.set("text", generation.text);
                                 if (!generation.beams.empty()) record.set("beams", beams_json(generation.beams));
                               }};
  };
  return args.batch.run(engine, options, generate::TokenText(tokenizer), prepare, console);
}

Status run(GenerateArgs& args, Console& console) {
  std::string prompt;
  if (!args.batch.is_given()) {
    ATELIER_TRY(prompt, input_text(args.prompt, args.file, "--prompt", console));
  } else if (args.prompt || args.file || args.report_prompt) {
    return Status::invalid("--prompt, --file, --prompt-logprobs: given with --input, whose lines state prompts; leave them out");
  }
  ATELIER_TRY(const auto model, args.model.load());
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model->tokenizer());
  ATELIER_TRY(generate::GenerateOptions options, generate_options(args, *model, console));
  ATELIER_TRY(const auto engine, args.engine.create(*model, args.model, args.batch.parallel(), options.beams.num_beams));
  ATELIER_TRY(options.adapters, args.adapters.load(*model, *engine));
  if (args.batch.is_given()) return run_batch(args, options, *tokenizer, *engine, console);
  return run_one(args, prompt, options, *model, *tokenizer, *engine, console);
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<GenerateArgs>();
  options->model.declare(args);
  args.group("Options");
  args.option("-p,--prompt", options->prompt, "TEXT", "the text to complete");
  args.option("-f,--file", options->file, "FILE", "read it from a file; - is stdin");
  args.option("-n,--max-tokens", options->max_tokens, "N", "tokens to generate at most; -1: until the end", {-1, int64_t{1} << 30});
  args.option("--stop", options->stops, "TEXT", "end when this text appears; repeatable");
  args.option("--top-logprobs", options->num_top, "N", "show each token's N likeliest alternatives", {0, 100});
  args.choice("--logprobs", options->logprobs, {"model", "sampled"}, "probabilities shown: the model's own, or after the samplers");
  args.flag("--prompt-logprobs", options->report_prompt, "show the prompt's tokens with their probabilities too");
  args.flag("--ignore-eos", options->ignore_eos, "go on after an end-of-text token");
  args.flag("--special", options->parse_special, "the prompt may spell special tokens such as <|im_end|>");
  options->adapters.declare(args);
  options->beams.declare(args);
  options->rules.declare(args);
  options->batch.declare(args);
  options->engine.declare(args);
  options->sampling.declare(args);
  options->constraint.declare(args);
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_generate;
const CommandDef command_generate = {"generate", "run", "complete a text",
                                     "atelier generate smollm2-135m-instruct --prompt \"The capital of France is\" -n 20", declare};

}  // namespace atelier::cli
