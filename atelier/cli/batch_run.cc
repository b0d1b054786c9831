#include "atelier/cli/batch_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <istream>
#include <iterator>
#include <set>

#include "atelier/base/log.h"
#include "atelier/base/strings.h"
#include "atelier/cli/generation_output.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/progress.h"
#include "atelier/io/file.h"
#include "atelier/io/line_file.h"

namespace atelier::cli {
namespace {

// The ids that the output holds already, as JSON text.
Result<std::set<std::string>> finished_ids(const std::vector<std::string>& lines, const std::string& path) {
  std::set<std::string> ids;
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto record = Json::parse(lines[i], path);
    const Json* id = record.ok() ? record->find("id") : nullptr;
    if (id == nullptr) {
      return Status::corrupt(fmt::format("{}: line {} is no record of a batch; give another --output or remove the line", path, i + 1));
    }
    ids.insert(id->dump());
  }
  return ids;
}

// One run: reads lines while there is room, writes records as requests end.
class Run {
 public:
  Run(generate::Engine& engine, const generate::GenerateOptions& defaults, const generate::TokenText& token_text,
      const BatchArgs::Prepare& prepare, io::LineFile output, std::set<std::string> finished)
      : engine_(engine),
        defaults_(defaults),
        token_text_(token_text),
        prepare_(prepare),
        output_(std::move(output)),
        seen_(finished),
        finished_(std::move(finished)) {}

  Status run(std::istream& input, int64_t parallel, Progress& progress);
  void report() const;

 private:
  // A request that is running; the engine's hooks write into it.
  struct Item {
    BatchLine line;
    BatchArgs::Prepared prepared;
    std::vector<generate::TokenReport> tokens;
  };
  void start(const std::string& text);
  Status submit(const Json& line);
  void finish(const Item& item, const Result<generate::Generation>& generation);
  void write(const Json& record);
  void write_error(const Json& id, const Status& status);

  generate::Engine& engine_;
  const generate::GenerateOptions& defaults_;
  const generate::TokenText& token_text_;
  const BatchArgs::Prepare& prepare_;
  io::LineFile output_;
  std::set<std::string> seen_;            // ids of this input, and of the output when it was opened
  const std::set<std::string> finished_;  // the latter
  int64_t num_lines_ = 0, num_active_ = 0, num_skipped_ = 0, num_written_ = 0, num_errors_ = 0, num_tokens_ = 0;
  Status write_status_;
};

Status Run::run(std::istream& input, int64_t parallel, Progress& progress) {
  const auto begin = std::chrono::steady_clock::now();
  bool has_more = true;
  while (write_status_.ok() && (has_more || num_active_ > 0)) {
    if (is_interrupted()) {
      return Status::cancelled(fmt::format("batch: stopped after {} records; run the same command to go on", num_written_));
    }
    while (has_more && num_active_ < parallel && write_status_.ok()) {
      std::string text;
      has_more = static_cast<bool>(std::getline(input, text));
      if (has_more) start(text);
    }
    if (engine_.has_work()) ATELIER_RETURN_IF_ERROR(engine_.step());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    progress.update(num_lines_ - num_active_, fmt::format("{:.0f} tokens/s", static_cast<double>(num_tokens_) / seconds));
  }
  return write_status_;
}

void Run::start(const std::string& text) {
  ++num_lines_;
  if (trim_ascii(text).empty()) return;
  const auto line = Json::parse(text, fmt::format("line {}", num_lines_));
  if (!line.ok()) return write_error(Json(num_lines_), line.status());
  const Json id = batch_id(*line, num_lines_);
  if (finished_.contains(id.dump())) {
    ++num_skipped_;
    return;
  }
  const bool is_new = seen_.insert(id.dump()).second;
  const Status status = is_new ? submit(*line) : Status::invalid("id: occurs a second time; give each line an id of its own");
  if (!status.ok()) write_error(id, status);
}

Status Run::submit(const Json& line) {
  auto item = std::make_shared<Item>();
  ATELIER_TRY(item->line, parse_batch_line(line, num_lines_, defaults_));
  ATELIER_TRY(item->prepared, prepare_(item->line));
  generate::Request request;
  request.prompt = item->prepared.prompt;
  request.options = item->line.options;
  if (request.options.beams.num_beams == 1 || request.options.num_top > 0) {  // beams are asked for no reports
    request.hooks.on_token = [this, item](const generate::TokenReport& report) {
      ++num_tokens_;
      if (item->line.options.num_top > 0) item->tokens.push_back(report);
    };
  }
  request.hooks.on_finish = [this, item](const Result<generate::Generation>& generation) { finish(*item, generation); };
  ATELIER_TRY([[maybe_unused]] const auto id, engine_.submit(std::move(request)));
  ++num_active_;
  return {};
}

void Run::finish(const Item& item, const Result<generate::Generation>& generation) {
  --num_active_;
  if (!generation.ok()) return write_error(item.line.id, generation.status());
  Json record = Json::object().set("id", item.line.id);
  item.prepared.describe(*generation, record);
  record.set("finish_reason", generate::finish_reason_name(generation->finish));
  if (!generation->stop_string.empty()) record.set("stop_string", generation->stop_string);
  record.set("prompt_tokens", generation->num_prompt).set("generated_tokens", static_cast<int64_t>(generation->ids.size()));
  record.set("seed", static_cast<int64_t>(item.line.options.sampling.seed));
  if (item.line.options.num_top > 0) record.set("tokens", reports_json(item.tokens, token_text_));
  write(record);
}

void Run::write(const Json& record) {
  ++num_written_;
  if (write_status_.ok()) write_status_ = output_.append(record.dump());
}

void Run::write_error(const Json& id, const Status& status) {
  ++num_errors_;
  write(Json::object().set("id", id).set("error", status.message()));
}

void Run::report() const {
  log(num_errors_ > 0 ? LogLevel::kWarning : LogLevel::kInfo,
      fmt::format("batch: {} records written, {} of them errors; {} lines were done before", num_written_, num_errors_, num_skipped_));
}

int64_t count_lines(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
}

}  // namespace

void BatchArgs::declare(Args& args) {
  args.group("Many at once (docs/guide/batch.md)");
  args.option("--input", input_, "FILE", "requests, one JSON object a line: id, prompt or messages, options; - is stdin");
  args.option("--output", output_, "FILE", "results, one line each as they finish; those it holds already are not run again");
  args.option("--parallel", parallel_, "N", "requests that run together", {1, 1024});
}

Status BatchArgs::run(generate::Engine& engine, const generate::GenerateOptions& defaults, const generate::TokenText& token_text,
                      const Prepare& prepare, Console& console) const {
  if (!input_ || !output_) return Status::invalid("--input, --output: one of them is missing, a batch needs both; add it");
  std::ifstream file;
  if (*input_ != "-") {
    if (!io::is_file(*input_)) return Status::not_found(fmt::format("batch: {}, no such file; check --input", atelier::quoted(*input_)));
    file.open(*input_, std::ios::binary);
    if (!file) return Status::io(fmt::format("batch: {}, cannot be read; check its permissions", atelier::quoted(*input_)));
  }
  std::vector<std::string> lines;
  ATELIER_TRY(io::LineFile output, io::LineFile::open(*output_, lines));
  ATELIER_TRY(std::set<std::string> finished, finished_ids(lines, *output_));
  Run run(engine, defaults, token_text, prepare, std::move(output), std::move(finished));
  Progress progress(console, "batch", *input_ == "-" ? 1 : count_lines(*input_));
  ATELIER_RETURN_IF_ERROR(run.run(*input_ == "-" ? console.in : file, parallel_, progress));
  run.report();
  return {};
}

}  // namespace atelier::cli
