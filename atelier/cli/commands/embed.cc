// `atelier embed MODEL TEXT…`: sentence vectors, as JSON Lines or .npy.
#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/cli/encoder_options.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/text_lines.h"
#include "atelier/format/npy.h"
#include "atelier/io/atomic_file.h"
#include "atelier/models/sentence_encoder.h"

namespace atelier::cli {
namespace {

struct EmbedArgs {
  EncoderOptions model;
  TextLines texts;
  std::optional<std::string> out, prompt, prompt_name;
  std::optional<int64_t> max_length;
  std::string pooling = "model", normalize = "model";
};

Result<models::SentenceSettings> settings_of(const EmbedArgs& args, const models::Model& model) {
  ATELIER_TRY(models::SentenceSettings settings, models::read_sentence_settings(model));
  if (args.pooling == "mean") settings.pooling = models::Pooling::kMean;
  if (args.pooling == "cls") settings.pooling = models::Pooling::kFirst;
  if (args.pooling == "last") settings.pooling = models::Pooling::kLast;
  if (args.normalize != "model") settings.is_normalized = args.normalize == "yes";
  if (args.max_length) settings.max_length = *args.max_length;
  if (args.prompt && args.prompt_name) return Status::invalid("prompt: given by --prompt and --prompt-name; leave one out");
  if (args.prompt) settings.prompt = *args.prompt;
  if (args.prompt_name) {
    const auto found = settings.prompts.find(*args.prompt_name);
    if (found == settings.prompts.end()) {
      std::vector<std::string> names;
      for (const auto& [name, text] : settings.prompts) names.push_back(name);
      return Status::invalid(fmt::format("prompt: {}, must be one of this model's: {}; use --prompt TEXT", quoted(*args.prompt_name),
                                         names.empty() ? "none" : join(names, ", ")));
    }
    settings.prompt = found->second;
  }
  return settings;
}

// Where vectors go: JSON Lines to a file or stdout, or all of them to a .npy file at the end.
class VectorSink {
 public:
  static Result<VectorSink> create(const std::optional<std::string>& path, int64_t width, std::ostream& out) {
    VectorSink sink(width, out);
    if (path && path->ends_with(".npy")) {
      sink.npy_ = *path;
    } else if (path) {
      ATELIER_TRY(sink.file_, io::AtomicFile::create(*path));
    }
    return sink;
  }

  // The line less its text, with the vector.
  Status add(const Json& line, std::span<const float> vector) {
    ++count_;
    if (npy_) {
      all_.insert(all_.end(), vector.begin(), vector.end());
      return {};
    }
    Json record = Json::object().set("index", count_ - 1);
    for (const auto& [key, value] : line.as_object()) {
      if (key != "text") record.set(key, value);
    }
    std::string text = record.dump();
    text.back() = ',';
    text += fmt::format("\"embedding\":[{}]}}\n", fmt::join(vector, ","));
    if (file_) return file_->write(text);
    out_ << text;
    return {};
  }

  Status finish() {
    if (file_) return file_->commit();
    if (!npy_) return {};
    const int64_t shape[] = {count_, width_};
    return format::write_npy(*npy_, all_, shape);
  }

 private:
  VectorSink(int64_t width, std::ostream& out) : width_(width), out_(out) {}

  int64_t width_, count_ = 0;
  std::ostream& out_;
  std::optional<std::string> npy_;
  std::optional<io::AtomicFile> file_;
  std::vector<float> all_;
};

void report(const models::EncodeCounts& counts, std::ostream& err) {
  err << fmt::format("{} texts, {} tokens: {:.0f} tokens/s ({:.2f} s computing, {:.2f} s tokenizing)\n", counts.texts, counts.tokens,
                     static_cast<double>(counts.tokens) / std::max(counts.compute_s, 1e-9), counts.compute_s, counts.tokenize_s);
  if (counts.cut_texts > 0) err << fmt::format("{} texts were longer than the model takes; their ends were cut off\n", counts.cut_texts);
}

Status run(const EmbedArgs& args, Console& console) {
  ATELIER_TRY(const auto model, args.model.load());
  ATELIER_TRY(models::SentenceSettings settings, settings_of(args, *model));
  ATELIER_TRY(models::SentenceEncoder encoder, models::SentenceEncoder::create(*model, std::move(settings)));
  const auto width = static_cast<size_t>(encoder.width());
  ATELIER_TRY(VectorSink sink, VectorSink::create(args.out, encoder.width(), console.out));
  std::vector<std::string> texts;
  std::vector<float> vectors;
  const auto embed_part = [&](std::span<const Json> lines) -> Status {
    texts.clear();
    for (const Json& line : lines) {
      ATELIER_TRY(texts.emplace_back(), line.get_string("text"));
    }
    vectors.resize(lines.size() * width);
    ATELIER_RETURN_IF_ERROR(encoder.encode(texts, vectors, [] { return !is_interrupted(); }));
    for (size_t i = 0; i < lines.size(); ++i) {
      ATELIER_RETURN_IF_ERROR(sink.add(lines[i], std::span(vectors).subspan(i * width, width)));
    }
    return {};
  };
  ATELIER_RETURN_IF_ERROR(args.texts.for_each_part(embed_part));
  ATELIER_RETURN_IF_ERROR(sink.finish());
  if (args.out || console.is_verbose) report(encoder.counts(), console.err);
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<EmbedArgs>();
  options->model.declare(args);
  args.group("Options");
  options->texts.declare(args);
  args.option("-o,--out", options->out, "FILE", "where to write: .npy, an array [texts, width], else JSON Lines (default: stdout)");
  args.choice("--pooling", options->pooling, {"model", "mean", "cls", "last"}, "what of the rows makes the vector");
  args.choice("--normalize", options->normalize, {"model", "yes", "no"}, "vectors of length 1");
  args.option("--prompt", options->prompt, "TEXT", "put before every text, such as \"query: \"");
  args.option("--prompt-name", options->prompt_name, "NAME", "the model's own prompt of this name");
  args.option("--max-length", options->max_length, "N", "tokens of a text; what is beyond is cut off", {1, int64_t{1} << 24});
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_embed;
const CommandDef command_embed = {"embed", "run", "sentence vectors", "atelier embed minilm-l6 \"A text\" \"Another\"", declare};

}  // namespace atelier::cli
