// `atelier tokenizer train FILE... --out DIR`: a new vocabulary from texts, as a tokenizer.json.
#include <fmt/format.h>

#include <ostream>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/cli/command.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/progress.h"
#include "atelier/convert/pre_tokenizers.h"
#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"
#include "atelier/tokenize/pretokenizer_patterns.h"
#include "atelier/tokenize/trainer.h"

namespace atelier::cli {
namespace {

struct TokenizerArgs {
  std::string action, out;
  std::vector<std::string> files;
  std::string kind = "byte-level-bpe", field = "text", memory = "1G";
  std::vector<std::string> special_tokens;
  std::optional<std::string> pre_tokenizer;
  tokenize::TrainerOptions trainer;
};

std::string kind_list() {
  std::vector<std::string> names;
  for (const tokenize::TrainerDef* trainer : tokenize::trainers()) names.push_back(trainer->name);
  return join(names, ", ");
}

// The stages that a GGUF name of a pre-tokenizer stands for, as tokenizer.json spells them.
Status set_pre_tokenizer(const std::string& name, const tokenize::TrainerDef& trainer, tokenize::TrainerOptions& options) {
  const std::string kind = trainer.name;
  if (kind != "byte-level-bpe" && kind != "byte") {
    return Status::invalid("--pre-tokenizer: " + quoted(name) + " is for kinds on bytes, not " + kind + "; leave it out");
  }
  const tokenize::NamedPreTokenizer* named = tokenize::find_pre_tokenizer(name);
  if (named == nullptr) {
    const std::string nearest = nearest_name(name, tokenize::pre_tokenizer_names());
    return Status::invalid("--pre-tokenizer: " + quoted(name) + " is not known; " +
                           (nearest.empty() ? "try gpt-2, llama-bpe or qwen2" : "did you mean " + nearest + "?"));
  }
  options.normalizer = convert::normalizer_json(*named);
  options.pre_tokenizer = convert::pre_tokenizer_json(*named);
  return {};
}

// Where the two files go: a folder takes both, "x.json" the one.
struct Target {
  std::string tokenizer, config;  // `config` is empty where none is written
};
Result<Target> prepare_target(const std::string& out) {
  if (out.empty()) return Status::invalid("--out: not given, a folder or a .json file is needed; add --out my-tokenizer");
  if (out.ends_with(".json")) {
    if (!io::is_directory(io::folder_of(out))) return Status::not_found("--out: " + quoted(out) + ", its folder is missing; make it first");
    return Target{out, ""};
  }
  ATELIER_RETURN_IF_ERROR(io::make_directories(out));
  return Target{io::join_path(out, "tokenizer.json"), io::join_path(out, "tokenizer_config.json")};
}

void print_result(const tokenize::TrainerDef& trainer, const Target& target, const Json& file, Console& console) {
  const Json& model = *file.find("model");
  const Json& vocab = *model.find("vocab");
  const auto size = static_cast<int64_t>(vocab.is_array() ? vocab.as_array().size() : vocab.as_object().size());
  const Json* merges = model.find("merges");
  const int64_t num_merges = merges == nullptr ? 0 : static_cast<int64_t>(merges->as_array().size());
  if (console.is_json) {
    Json out = Json::object().set("kind", trainer.name).set("path", target.tokenizer).set("vocab_size", size);
    console.out << out.set("merges", num_merges).dump() << "\n";
    return;
  }
  console.out << fmt::format("{}: {}, {} tokens{}\n", target.tokenizer, trainer.name, size,
                             num_merges > 0 ? fmt::format(", {} merges", num_merges) : "");
}

Status train(TokenizerArgs args, Console& console) {
  if (args.files.empty()) return Status::invalid("FILE: none given, text to learn from is needed; name .txt or .jsonl files");
  ATELIER_TRY(const tokenize::TrainerDef* trainer, tokenize::find_trainer(args.kind));
  if (!args.special_tokens.empty()) args.trainer.special_tokens = args.special_tokens;
  if (args.pre_tokenizer) ATELIER_RETURN_IF_ERROR(set_pre_tokenizer(*args.pre_tokenizer, *trainer, args.trainer));
  const std::optional<uint64_t> memory = parse_bytes(args.memory);
  if (!memory) return Status::invalid("--memory: " + quoted(args.memory) + " is no size; write 500M or 4G");
  ATELIER_TRY(tokenize::Corpus corpus, tokenize::Corpus::open(args.files, args.field));
  ATELIER_TRY(const Target target, prepare_target(args.out));

  Progress progress(console, "train", 1);
  tokenize::CountOptions count;
  count.memory_bytes = *memory;
  count.scratch_folder = io::folder_of(target.tokenizer);
  count.progress = [&progress](const char* stage, int64_t done, int64_t total) {
    progress.set_total(total);
    progress.update(done, stage);
    return !is_interrupted();
  };
  ATELIER_TRY(const Json file, tokenize::train_tokenizer(*trainer, args.trainer, corpus, count));
  ATELIER_RETURN_IF_ERROR(io::write_file(target.tokenizer, file.dump(/*indent=*/2) + "\n"));
  if (!target.config.empty()) {
    const std::vector<std::string> special_tokens = args.trainer.special_tokens.value_or(trainer->special_tokens());
    ATELIER_RETURN_IF_ERROR(io::write_file(target.config, tokenize::trained_tokenizer_config(special_tokens).dump(2) + "\n"));
  }
  print_result(*trainer, target, file, console);
  return {};
}

Status run(const TokenizerArgs& args, Console& console) {
  if (args.action != "train") return Status::invalid("ACTION: " + quoted(args.action) + ", must be train; did you mean train?");
  return train(args, console);
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<TokenizerArgs>();
  tokenize::TrainerOptions& trainer = options->trainer;
  constexpr int64_t kMost = int64_t{1} << 24;
  args.positional("ACTION", options->action, "train: learn a vocabulary from texts");
  args.positional("FILE", options->files, "texts, a line each, or JSON Lines (.jsonl); also packed by gzip (.gz)",
                  Args::Presence::kOptional);
  args.option("-o,--out", options->out, "PATH", "a folder for tokenizer.json and tokenizer_config.json, or the name of a .json file");
  args.option("--kind", options->kind, "KIND", kind_list() + " (atelier list trainers)");
  args.option("--vocab-size", trainer.vocab_size, "N", "tokens, special ones included; not for byte and character", {1, kMost});
  args.option("--special", options->special_tokens, "TOKEN",
              "a special token; repeatable, ids from 0 in this order (default: those of the kind, such as <|endoftext|>)");
  args.option("--field", options->field, "NAME", "the key of a JSON Lines record that holds its text");
  args.flag("--lowercase", trainer.lowercase, "turn all text to lower case (wordpiece: and remove accents)");
  args.option("--memory", options->memory, "SIZE", "of the tables of words; past it, counts go to files beside the output");
  args.group("Merging (bpe, byte-level-bpe, wordpiece)");
  args.option("--min-frequency", trainer.min_frequency, "N", "pairs that occur less often are not merged", {0, INT64_MAX});
  args.option("--limit-alphabet", trainer.limit_alphabet, "N", "keep the N most frequent characters", {1, kMost});
  args.option("--initial-alphabet", trainer.initial_alphabet, "CHARACTERS", "characters that are kept whether they occur or not");
  args.option("--prefix", trainer.continuing_subword_prefix, "TEXT", "before what continues a word (wordpiece: ## unless given)");
  args.option("--suffix", trainer.end_of_word_suffix, "TEXT", "after what ends a word, such as </w>");
  args.option("--max-token-length", trainer.max_token_length, "N", "merge nothing to more than N characters", {1, kMost});
  args.option("--pre-tokenizer", options->pre_tokenizer, "NAME", "cut words as this one does: gpt-2, llama-bpe, qwen2, … (kinds on bytes)");
  args.group("Unigram");
  args.option("--character-coverage", trainer.character_coverage, "P", "the part of the text whose characters get pieces", {0.9, 1.0});
  args.option("--seed-pieces", trainer.seed_pieces, "N", "pieces that pruning starts from", {1000, kMost});
  args.option("--shrinking-factor", trainer.shrinking_factor, "P", "the part of the pieces that one pruning keeps", {0.5, 0.95});
  args.option("--sub-iterations", trainer.num_sub_iterations, "N", "steps of EM between prunings", {1, 10});
  args.option("--max-piece-length", trainer.max_piece_length, "N", "characters of a piece", {1, 64});
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_tokenizer;
const CommandDef command_tokenizer = {"tokenizer", "make", "train a tokenizer: BPE, WordPiece, Unigram, …",
                                      "atelier tokenizer train novels.txt --kind byte-level-bpe --vocab-size 8000 --out my-tokenizer",
                                      declare};

}  // namespace atelier::cli
