#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "atelier/generate/speculator.h"

namespace atelier::generate {
namespace {

constexpr int64_t kCatchUpRows = 512;  // rows of one step in which the draft model reads prompts

class DraftSpeculator : public Speculator {
 public:
  DraftSpeculator(models::Model& draft, std::shared_ptr<nn::KvPool> pool, int64_t context)
      : draft_(draft), pool_(std::move(pool)), context_(context) {}

  Status propose(std::span<Task> tasks) override;
  void forget(uint64_t id) override { sequences_.erase(id); }

 private:
  // What the draft model has read of a sequence: the tokens of its cache.
  struct Sequence {
    nn::KvCache cache;
    std::vector<int32_t> tokens;
  };
  // A sequence that proposes in this step.
  struct Work {
    Task* task;
    Sequence* sequence;
    std::vector<int32_t> tokens;  // those of the answer, then the proposals
  };
  std::vector<Work> start(std::span<Task> tasks);
  Status read(std::vector<Work>& work);
  Status extend(std::vector<Work>& work);

  models::Model& draft_;
  std::shared_ptr<nn::KvPool> pool_;
  int64_t context_;
  std::unordered_map<uint64_t, Sequence> sequences_;
};

// Cuts each sequence back to what it shares with its answer (a proposal may have been wrong).
std::vector<DraftSpeculator::Work> DraftSpeculator::start(std::span<Task> tasks) {
  std::vector<Work> work;
  for (Task& task : tasks) {
    const std::span<const int32_t> tokens = task.answer->text_tokens();
    Sequence& sequence = sequences_.try_emplace(task.id, Sequence{nn::KvCache(pool_, context_), {}}).first->second;
    const size_t limit = std::min(sequence.tokens.size(), tokens.size() - 1);  // the last token is run again: its logits are needed
    const auto limit_end = sequence.tokens.begin() + static_cast<std::ptrdiff_t>(limit);
    const auto common = std::mismatch(sequence.tokens.begin(), limit_end, tokens.begin()).first - sequence.tokens.begin();
    sequence.cache.truncate(common);
    sequence.tokens.resize(static_cast<size_t>(common));
    work.push_back({&task, &sequence, {tokens.begin(), tokens.end()}});
  }
  return work;
}

// Reads what is missing before the last token, a bounded number of rows in all; sequences that are not through yet leave `work`.
Status DraftSpeculator::read(std::vector<Work>& work) {
  std::vector<int32_t> ids;
  std::vector<nn::RowRun> runs;
  int64_t budget = kCatchUpRows;
  for (Work& item : work) {
    const size_t done = item.sequence->tokens.size();
    const auto missing = static_cast<int64_t>(item.tokens.size() - 1 - done);
    const int64_t rows = std::min(missing, budget);
    if (rows == 0) continue;
    budget -= rows;
    const auto first = item.tokens.begin() + static_cast<std::ptrdiff_t>(done);
    ids.insert(ids.end(), first, first + rows);
    item.sequence->tokens.insert(item.sequence->tokens.end(), first, first + rows);
    runs.push_back({&item.sequence->cache, rows});
  }
  std::erase_if(work, [](const Work& item) { return item.sequence->tokens.size() + 1 < item.tokens.size(); });
  if (runs.empty()) return {};
  return draft_.run(ids, runs);
}

// One more proposal for each, from the logits behind its last token; those that have enough leave `work`.
Status DraftSpeculator::extend(std::vector<Work>& work) {
  std::vector<int32_t> ids;
  std::vector<nn::RowRun> runs;
  std::vector<int64_t> rows;
  for (Work& item : work) {
    ids.push_back(item.tokens.back());
    runs.push_back({&item.sequence->cache, 1});
    rows.push_back(static_cast<int64_t>(rows.size()));
  }
  ATELIER_TRY(const std::span<const float> logits, draft_.forward_batch(ids, runs, rows));
  const size_t vocabulary = logits.size() / rows.size();
  for (size_t i = 0; i < work.size(); ++i) {
    Work& item = work[i];
    item.sequence->tokens.push_back(item.tokens.back());
    const auto row = logits.subspan(i * vocabulary, vocabulary);
    if (!log_normaliser(row).ok()) continue;  // it has nothing to say
    const int32_t id = item.task->answer->guess(row, item.tokens);
    if (id < 0) continue;
    item.tokens.push_back(id);
    item.task->tokens.push_back(id);
  }
  std::erase_if(work, [](const Work& item) {
    return static_cast<int64_t>(item.task->tokens.size()) == item.task->max_tokens || item.sequence->tokens.size() == item.tokens.size() ||
           item.sequence->cache.length() == item.sequence->cache.context();
  });
  return {};
}

Status DraftSpeculator::propose(std::span<Task> tasks) {
  std::vector<Work> work = start(tasks);
  ATELIER_RETURN_IF_ERROR(read(work));
  while (!work.empty()) ATELIER_RETURN_IF_ERROR(extend(work));
  return {};
}

Status check_same_vocabulary(const models::Model& model, const models::Model& draft) {
  const int64_t size = model.spec().vocab_size, draft_size = draft.spec().vocab_size;
  if (size != draft_size) {
    return Status::invalid(
        fmt::format("draft model: a vocabulary of {} tokens, the model has {}; choose a model of the same family", draft_size, size));
  }
  const auto tokenizer = model.tokenizer(), draft_tokenizer = draft.tokenizer();
  if (!tokenizer.ok() || !draft_tokenizer.ok()) return {};
  for (int32_t id = 0; id < size; ++id) {
    if ((*tokenizer)->id_to_token(id) == (*draft_tokenizer)->id_to_token(id)) continue;
    return Status::invalid(fmt::format("draft model: token {} is \"{}\", the model's is \"{}\"; choose a model of the same family", id,
                                       (*draft_tokenizer)->id_to_token(id), (*tokenizer)->id_to_token(id)));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Speculator>> draft_speculator(const models::Model& model, models::Model& draft, int64_t max_sequences,
                                                     int64_t context) {
  ATELIER_RETURN_IF_ERROR(check_same_vocabulary(model, draft));
  if (draft.context() < context) {
    return Status::invalid(fmt::format("draft model: a context of {} tokens, the model has {}; lower --context or choose another draft",
                                       draft.context(), context));
  }
  ATELIER_TRY(auto pool, draft.new_pool(max_sequences * nn::KvLayout::num_pages(context)));
  return std::unique_ptr<Speculator>(new DraftSpeculator(draft, std::move(pool), context));
}

}  // namespace atelier::generate
