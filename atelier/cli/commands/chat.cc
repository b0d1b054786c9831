// `atelier chat MODEL`: a conversation in the terminal, or one answer with --message.
#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "atelier/base/log.h"
#include "atelier/base/strings.h"
#include "atelier/cli/adapter_options.h"
#include "atelier/cli/batch_run.h"
#include "atelier/cli/chat_session.h"
#include "atelier/cli/constraint_options.h"
#include "atelier/cli/conversation.h"
#include "atelier/cli/engine_options.h"
#include "atelier/cli/generation_output.h"
#include "atelier/cli/inputs.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/line_reader.h"
#include "atelier/cli/model_options.h"
#include "atelier/cli/sampling_options.h"

namespace atelier::cli {
namespace {

constexpr const char* kDim = "\x1b[2m";
constexpr const char* kPlain = "\x1b[0m";
constexpr int64_t kMaxTop = 100;

constexpr const char* kHelp =
    "  /system TEXT   set the system message (without TEXT: remove it)\n"
    "  /reset         start over, keeping the system message\n"
    "  /top N         show each token's N likeliest alternatives; 0: off\n"
    "  /think on|off  for models that think: ask for it or not\n"
    "  /save FILE     write the conversation\n"
    "  /load FILE     go on with a saved one\n"
    "  /help          this list\n"
    "  /quit          leave (also Ctrl-D); Ctrl-C ends an answer\n";

struct ChatArgs {
  ModelOptions model;
  SamplingArgs sampling;
  ConstraintArgs constraint;
  EngineArgs engine;
  BatchArgs batch;
  AdapterArgs adapters;
  std::optional<std::string> message, file, system;
  std::string think = "auto";
  int64_t max_tokens = -1;
  std::vector<std::string> stops;
  int64_t num_top = 0;
  std::string logprobs = "model";
};

// The state of a running chat and what its lines do.
class Chat {
 public:
  Chat(ChatSession& session, generate::GenerateOptions options, Console& console)
      : session_(session), options_(std::move(options)), console_(console) {}

  Conversation& conversation() { return conversation_; }
  Status answer(const std::string& message);
  Status loop();

 private:
  enum class Next { kGoOn, kLeave };
  Result<Next> command(const std::string& line);
  Status set_top(const std::string& value);
  Status set_thinking(const std::string& value);
  Status load(const std::string& path);
  void show(const generate::ThoughtSplitter::Piece& piece);
  void show_end(const ChatAnswer& answer);
  void print_json(const ChatAnswer& answer);

  ChatSession& session_;
  generate::GenerateOptions options_;
  Console& console_;
  Conversation conversation_;
  bool is_dimmed_ = false;
};

void Chat::show(const generate::ThoughtSplitter::Piece& piece) {
  if (console_.is_json) return;
  if (console_.is_out_terminal && piece.is_thought != is_dimmed_) {
    console_.out << (piece.is_thought ? kDim : std::string(kPlain) + "\n\n");
    is_dimmed_ = piece.is_thought;
  }
  if (piece.is_thought && !console_.is_out_terminal) return;  // whoever pipes the answer wants the answer
  console_.out << piece.text << std::flush;
}

void Chat::show_end(const ChatAnswer& answer) {
  if (is_dimmed_) console_.out << kPlain;
  is_dimmed_ = false;
  console_.out << "\n";
  if (options_.num_top > 0) print_reports(answer.tokens, options_.num_top, session_.token_text(), console_.out);
  console_.out << std::flush;
}

void Chat::print_json(const ChatAnswer& answer) {
  Json message = Json::object().set("role", "assistant").set("content", answer.content);
  if (!answer.thoughts.empty()) message.set("reasoning_content", answer.thoughts);
  Json json = Json::object().set("message", std::move(message));
  add_statistics(answer.generation, json);
  json.set("seed", static_cast<int64_t>(options_.sampling.seed));
  if (options_.num_top > 0) json.set("tokens", reports_json(answer.tokens, session_.token_text()));
  console_.out << json.dump() << std::endl;
}

Status Chat::answer(const std::string& message) {
  conversation_.add("user", message);
  const auto on_piece = [this](const generate::ThoughtSplitter::Piece& piece) { show(piece); };
  const auto answer = session_.answer(conversation_.messages(), options_, on_piece, is_interrupted);
  if (!answer.ok()) {
    conversation_.remove_last();  // the conversation goes on as if the message had not been sent
    return answer.status();
  }
  conversation_.add("assistant", answer->content, answer->thoughts);
  if (console_.is_json) {
    print_json(*answer);
  } else {
    show_end(*answer);
  }
  explain_finish(answer->generation, session_.context(), "raise --context, or start over with /reset");
  return {};
}

Status Chat::set_top(const std::string& value) {
  const auto count = parse_int(value);
  if (!count || *count < 0 || *count > kMaxTop) {
    return Status::invalid(fmt::format("/top: {}, must be a number from 0 to {}; try /top 5", atelier::quoted(value), kMaxTop));
  }
  options_.num_top = static_cast<int>(*count);
  return {};
}

Status Chat::set_thinking(const std::string& value) {
  if (value != "on" && value != "off")
    return Status::invalid(fmt::format("/think: {}, must be on or off; try /think off", atelier::quoted(value)));
  session_.set_thinking(value == "on");
  return {};
}

Status Chat::load(const std::string& path) {
  ATELIER_TRY(conversation_, Conversation::load(path));
  console_.err << fmt::format("{} messages\n", conversation_.size());
  return {};
}

Result<Chat::Next> Chat::command(const std::string& line) {
  const size_t space = line.find(' ');
  const std::string name = line.substr(0, space);
  const std::string rest = space == std::string::npos ? "" : std::string(trim_ascii(std::string_view(line).substr(space)));
  Status status;
  if (name == "/quit" || name == "/exit" || name == "/bye") return Next::kLeave;
  if (name == "/help" || name == "/?") {
    console_.err << kHelp;
  } else if (name == "/system") {
    conversation_.set_system(rest);
  } else if (name == "/reset") {
    conversation_.clear();
  } else if (name == "/top") {
    status = set_top(rest);
  } else if (name == "/think") {
    status = set_thinking(rest);
  } else if (name == "/save" || name == "/load") {
    if (rest.empty()) return Status::invalid(fmt::format("{}: no file, it needs one; try {} chat.json", name, name));
    status = name == "/save" ? conversation_.save(rest) : load(rest);
  } else {
    const std::string nearest = nearest_name(name, {"/help", "/system", "/reset", "/top", "/think", "/save", "/load", "/quit"});
    return Status::invalid(
        fmt::format("command: {}, unknown; {}", atelier::quoted(name), nearest.empty() ? "see /help" : "did you mean " + nearest + "?"));
  }
  if (!status.ok()) return status;
  return Next::kGoOn;
}

Status Chat::loop() {
  if (console_.is_in_terminal) console_.err << "/help lists what can be done besides talking; /quit or Ctrl-D leaves.\n";
  for (std::string line;;) {
    if (console_.is_in_terminal) console_.err << "> " << std::flush;
    clear_interrupt();
    const LineRead read = read_line(console_, line);
    if (read == LineRead::kEnd) break;
    if (read == LineRead::kInterrupted) {
      console_.err << "\n/quit or Ctrl-D leaves\n";
      continue;
    }
    const std::string text(trim_ascii(line));
    if (text.empty()) continue;
    Status status;
    if (text[0] == '/') {
      const auto next = command(text);
      if (next.ok() && *next == Next::kLeave) return {};
      status = next.status();
    } else {
      status = answer(text);
    }
    if (!status.ok()) log(LogLevel::kError, status.message());  // the conversation goes on
  }
  if (console_.is_in_terminal) console_.err << "\n";
  return {};
}

Result<generate::GenerateOptions> generate_options(ChatArgs& args, const models::Model& model, const Console& console) {
  generate::GenerateOptions options;
  ATELIER_TRY(options.sampling, args.sampling.resolve(model, console));
  options.max_tokens = args.max_tokens;
  options.stop_ids = model.defaults().stop_ids;
  options.stop_strings = args.stops;
  options.num_top = static_cast<int>(args.num_top);
  options.report_sampled = args.logprobs == "sampled";
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model.tokenizer());
  ATELIER_RETURN_IF_ERROR(args.constraint.apply(*tokenizer, options));
  return options;
}

// The thoughts and the answer of a whole text, as members of a record.
void describe_answer(const std::string& prompt, const generate::Generation& generation, Json& record) {
  generate::ThoughtSplitter splitter(generate::ends_inside_thought(prompt));
  std::string content, thoughts;
  const auto take = [&](const std::vector<generate::ThoughtSplitter::Piece>& pieces) {
    for (const auto& piece : pieces) (piece.is_thought ? thoughts : content) += piece.text;
  };
  take(splitter.push(generation.text));
  take(splitter.finish());
  Json message = Json::object().set("role", "assistant").set("content", content);
  if (!thoughts.empty()) message.set("reasoning_content", thoughts);
  record.set("message", std::move(message));
}

// A line's prompt is a conversation of one message, behind --system.
Status run_batch(const ChatArgs& args, const generate::GenerateOptions& options, const ChatSession& session, generate::Engine& engine,
                 Console& console) {
  const auto prepare = [&](const BatchLine& line) -> Result<BatchArgs::Prepared> {
    Conversation conversation;
    if (args.system) conversation.set_system(*args.system);
    conversation.add("user", line.prompt);
    ATELIER_TRY(generate::ChatPrompt prompt, session.prompt(line.messages.is_null() ? conversation.messages() : line.messages));
    return BatchArgs::Prepared{std::move(prompt.ids),
                               [text = std::move(prompt.text)](const generate::Generation& generation, Json& record) {
                                 describe_answer(text, generation, record);
                               }};
  };
  return args.batch.run(engine, options, session.token_text(), prepare, console);
}

Status run(ChatArgs& args, Console& console) {
  std::optional<std::string> message = args.message;
  if (args.file) {
    ATELIER_TRY(message, input_text(args.message, args.file, "--message", console));
  }
  if (message && args.batch.is_given()) {
    return Status::invalid("--message, --file: given with --input, whose lines state messages; leave them out");
  }
  ATELIER_TRY(const auto model, args.model.load());
  ATELIER_TRY(const auto engine, args.engine.create(*model, args.model, args.batch.parallel()));
  ATELIER_TRY(const auto session, ChatSession::create(*model, *engine));
  if (args.think != "auto") session->set_thinking(args.think == "on");
  ATELIER_TRY(generate::GenerateOptions options, generate_options(args, *model, console));
  ATELIER_TRY(options.adapters, args.adapters.load(*model, *engine));
  if (args.batch.is_given()) return run_batch(args, options, *session, *engine, console);
  Chat chat(*session, std::move(options), console);
  if (args.system) chat.conversation().set_system(*args.system);
  return message ? chat.answer(*message) : chat.loop();
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<ChatArgs>();
  options->model.declare(args);
  args.group("Options");
  args.option("-m,--message", options->message, "TEXT", "answer this one message and leave");
  args.option("-f,--file", options->file, "FILE", "read that message from a file; - is stdin");
  args.option("-s,--system", options->system, "TEXT", "system message");
  args.choice("--think", options->think, {"auto", "on", "off"}, "for models that think: ask for it or not; thoughts are dimmed");
  args.option("-n,--max-tokens", options->max_tokens, "N", "tokens of an answer at most; -1: until it ends", {-1, int64_t{1} << 30});
  args.option("--stop", options->stops, "TEXT", "end an answer when this text appears; repeatable");
  args.option("--top-logprobs,--top", options->num_top, "N", "show each token's N likeliest alternatives, as /top does", {0, kMaxTop});
  args.choice("--logprobs", options->logprobs, {"model", "sampled"}, "probabilities shown: the model's own, or after the samplers");
  options->adapters.declare(args);
  options->batch.declare(args);
  options->engine.declare(args);
  options->sampling.declare(args);
  options->constraint.declare(args);
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_chat;
const CommandDef command_chat = {"chat", "run", "talk with a model in the terminal",
                                 "atelier chat smollm2-135m-instruct --message \"What is photosynthesis?\"", declare};

}  // namespace atelier::cli
