// `atelier translate MODEL TEXT`: what a model with an encoder makes of each line of a text, by beam search where nobody says otherwise.
#include <fmt/format.h>

#include <deque>
#include <memory>
#include <ostream>

#include "atelier/base/strings.h"
#include "atelier/cli/beam_options.h"
#include "atelier/cli/engine_options.h"
#include "atelier/cli/generation_output.h"
#include "atelier/cli/inputs.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/model_options.h"
#include "atelier/cli/sampling_options.h"
#include "atelier/generate/default_answer.h"

namespace atelier::cli {
namespace {

constexpr int64_t kUsualBeams = 4;     // Vaswani et al. 2017, 6.1
constexpr int64_t kLongerTokens = 50;  // than the source, an answer may be: the same

struct TranslateArgs {
  ModelOptions model;
  SamplingArgs sampling;
  EngineArgs engine;
  BeamArgs beams;
  RuleArgs rules;
  std::string text;
  std::optional<std::string> input, source, target, prefix;
  int64_t max_tokens = -1;
  int64_t parallel = 8;
};

// What stands before each line: T5's tasks are named in words, Marian's models of several languages have a token for each.
struct Prefix {
  std::string text;
  std::optional<int32_t> id;
};

Result<Prefix> language_token(const tokenize::Tokenizer& tokenizer, const std::string& language) {
  const std::string token = ">>" + language + "<<";
  if (const std::optional<int32_t> id = tokenizer.token_to_id(token)) return Prefix{{}, id};
  return Status::invalid(
      fmt::format("--target: {}, this model has no token {}; leave it out where it knows one language", language, token));
}

Result<Prefix> prefix_of(const TranslateArgs& args, const models::Model& model, const tokenize::Tokenizer& tokenizer) {
  if (args.prefix) {
    if (args.source || args.target) return Status::invalid("--prefix: given with --source or --target, which make one; leave one out");
    return Prefix{*args.prefix, {}};
  }
  if (!args.source && !args.target) return Prefix();
  const std::string_view arch = model.arch().name;
  if (arch.starts_with("t5") && args.source && args.target) {
    return Prefix{fmt::format("translate {} to {}: ", *args.source, *args.target), {}};
  }
  if (arch == "marian" && !args.source) return language_token(tokenizer, *args.target);
  return Status::invalid(fmt::format("--source, --target: {} models take {}; see docs/guide/translate.md", model.arch().name,
                                     arch.starts_with("t5") ? "both, as words such as English and German"
                                     : arch == "marian"     ? "--target alone, such as fra"
                                                            : "neither"));
}

// A line on its way, in the order of the input.
struct Line {
  std::string text;
  std::optional<Result<generate::Generation>> answer;
};

class Translation {
 public:
  Translation(const TranslateArgs& args, const models::Model& model, const tokenize::Tokenizer& tokenizer, Prefix prefix,
              generate::GenerateOptions options, generate::Engine& engine, Console& console)
      : args_(args),
        model_(model),
        tokenizer_(tokenizer),
        prefix_(std::move(prefix)),
        options_(std::move(options)),
        engine_(engine),
        console_(console) {}

  // Keeps twice as many lines under way as run together, so that the engine always has one to go on with.
  Status run(std::span<const std::string_view> texts) {
    size_t next = 0;
    while (next < texts.size() || !lines_.empty()) {
      if (is_interrupted()) return Status::cancelled("translate: interrupted; run it again");
      while (next < texts.size() && std::ssize(lines_) < 2 * args_.parallel) ATELIER_RETURN_IF_ERROR(submit(texts[next++]));
      if (engine_.has_work()) ATELIER_RETURN_IF_ERROR(engine_.step());
      ATELIER_RETURN_IF_ERROR(print_finished());
    }
    return {};
  }

 private:
  Status submit(std::string_view text) {
    Line& line = lines_.emplace_back();
    line.text = text;
    if (trim_ascii(text).empty()) {
      line.answer = generate::Generation();
      return {};
    }
    ATELIER_TRY(tokenize::Encoding encoding, tokenizer_.encode(prefix_.text + line.text));
    if (prefix_.id) encoding.ids.insert(encoding.ids.begin(), *prefix_.id);
    generate::Request request;
    request.options = options_;
    request.options.sequence = num_lines_++;
    if (args_.max_tokens < 0) {
      const int64_t longest = std::ssize(encoding.ids) + kLongerTokens, stated = generate::default_max_tokens(model_.defaults());
      request.options.max_tokens = stated > 0 ? stated : longest;
    }
    request.prompt = std::move(encoding.ids);
    request.hooks.is_cancelled = is_interrupted;
    request.hooks.on_finish = [&line](const Result<generate::Generation>& answer) { line.answer = answer; };
    return engine_.submit(std::move(request)).status();
  }

  Status print_finished() {
    for (; !lines_.empty() && lines_.front().answer; lines_.pop_front()) {
      const Line& line = lines_.front();
      ATELIER_TRY(const generate::Generation answer, *line.answer);
      if (answer.finish == generate::FinishReason::kCancelled) return Status::cancelled("translate: interrupted; run it again");
      console_.is_json ? print_json(line, answer) : print_text(answer);
    }
    return {};
  }

  void print_text(const generate::Generation& answer) const { console_.out << answer.text << "\n" << std::flush; }

  void print_json(const Line& line, const generate::Generation& answer) const {
    Json ids = Json::array();
    for (const int32_t id : answer.ids) ids.push_back(id);
    Json json = Json::object().set("source", line.text).set("text", answer.text).set("ids", std::move(ids));
    if (!answer.beams.empty()) json.set("beams", beams_json(answer.beams));
    add_statistics(answer, json);
    console_.out << json.dump() << "\n";
  }

  const TranslateArgs& args_;
  const models::Model& model_;
  const tokenize::Tokenizer& tokenizer_;
  Prefix prefix_;
  generate::GenerateOptions options_;
  generate::Engine& engine_;
  Console& console_;
  std::deque<Line> lines_;
  uint64_t num_lines_ = 0;
};

Result<generate::GenerateOptions> translate_options(TranslateArgs& args, const models::Model& model, const Console& console) {
  generate::GenerateOptions options;
  ATELIER_TRY(options.sampling, args.sampling.resolve(model, console, SamplingArgs::Defaults::kLikeliest));
  generate::BeamOptions beams = generate::default_beams(model.defaults());
  if (!model.defaults().num_beams) beams.num_beams = kUsualBeams;
  if (options.sampling.temperature != 0) beams.num_beams = 1;
  options.beams = args.beams.options(beams);
  options.rules = args.rules.rules(generate::default_rules(model.defaults()));
  options.max_tokens = args.max_tokens;
  options.stop_ids = model.defaults().stop_ids;
  return options;
}

Status run(TranslateArgs& args, Console& console) {
  const std::optional<std::string> given = args.text.empty() ? std::nullopt : std::optional(args.text);
  if (given && args.input) return Status::invalid("text: both TEXT and --input, one is expected; leave one out");
  ATELIER_TRY(const std::string text, input_text(given, args.input, "TEXT", console));
  ATELIER_TRY(const auto model, args.model.load());
  if (!model->has_encoder()) {
    return Status::unsupported(fmt::format("translate: {} has no encoder; use generate or chat", model->arch().name));
  }
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model->tokenizer());
  ATELIER_TRY(Prefix prefix, prefix_of(args, *model, *tokenizer));
  ATELIER_TRY(generate::GenerateOptions options, translate_options(args, *model, console));
  ATELIER_TRY(const auto engine, args.engine.create(*model, args.model, args.parallel, options.beams.num_beams));
  std::vector<std::string_view> lines = split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return Translation(args, *model, *tokenizer, std::move(prefix), std::move(options), *engine, console).run(lines);
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<TranslateArgs>();
  options->model.declare(args);
  args.group("Options");
  args.positional("TEXT", options->text, "what to translate, line by line", Args::Presence::kOptional);
  args.option("-i,--input", options->input, "FILE", "read it from a file; - is stdin");
  args.option("--source", options->source, "LANGUAGE", "of the text: T5's in words, such as English");
  args.option("--target", options->target, "LANGUAGE", "of the translation: T5's in words, Marian's by their codes, such as fra");
  args.option("--prefix", options->prefix, "TEXT", "put this before each line, such as \"summarize: \"");
  args.option("-n,--max-tokens", options->max_tokens, "N",
              "tokens of a translation at most; -1: as the model states, else the source's and 50", {-1, int64_t{1} << 30});
  args.option("--parallel", options->parallel, "N", "lines that run together", {1, 1024});
  options->beams.declare(args);
  options->rules.declare(args);
  options->engine.declare(args);
  options->sampling.declare(args);
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_translate;
const CommandDef command_translate = {"translate", "run", "translate lines of text, or what else a model with an encoder was made for",
                                      "atelier translate t5-small --source English --target German \"The house is small.\"", declare};

}  // namespace atelier::cli
