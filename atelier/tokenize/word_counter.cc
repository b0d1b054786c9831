#include "atelier/tokenize/word_counter.h"

#include <algorithm>
#include <memory>

#include "atelier/base/strings.h"
#include "atelier/io/scratch_file.h"
#include "atelier/parallel/parallel.h"
#include "atelier/tokenize/byte_level.h"

namespace atelier::tokenize {
namespace {

constexpr size_t kBatchBytes = size_t{8} << 20;
constexpr size_t kUnitBytes = size_t{64} << 10;  // of lines that a thread takes at once
constexpr size_t kBlockBytes = size_t{1} << 20;
constexpr size_t kReadBytes = size_t{4} << 20;
constexpr int kShardBits = 6;
constexpr size_t kNumShards = size_t{1} << kShardBits;

// Word tables on disk. A record is the size of the word (4 bytes), its count (8) and its bytes.
class Shards {
 public:
  explicit Shards(std::string folder) : folder_(std::move(folder)) {}
  bool empty() const { return files_.empty(); }

  Status append(const WordTable& table) {
    while (files_.size() < kNumShards) {
      ATELIER_TRY(io::ScratchFile file, io::ScratchFile::create(folder_));
      files_.push_back(std::move(file));
    }
    std::vector<std::string> records(kNumShards);
    table.for_each([&](std::string_view word, uint64_t hash, uint64_t count) {
      std::string& out = records[hash >> (64 - kShardBits)];
      const auto size = static_cast<uint32_t>(word.size());
      out.append(reinterpret_cast<const char*>(&size), sizeof size);
      out.append(reinterpret_cast<const char*>(&count), sizeof count);
      out.append(word);
    });
    for (size_t i = 0; i < kNumShards; ++i) ATELIER_RETURN_IF_ERROR(files_[i].append(records[i]));
    return {};
  }

  // Adds the records of a shard to `table`.
  Status load(size_t shard, WordTable& table) const {
    std::string rest;  // a record that the last read cut
    for (int64_t offset = 0; offset < files_[shard].size();) {
      ATELIER_TRY(const std::string bytes, files_[shard].read(offset, kReadBytes));
      offset += static_cast<int64_t>(bytes.size());
      rest += bytes;
      rest.erase(0, add_records(rest, table));
    }
    return {};
  }

 private:
  // Adds the whole records of `bytes` and returns where they end.
  static size_t add_records(std::string_view bytes, WordTable& table) {
    constexpr size_t kHeadBytes = sizeof(uint32_t) + sizeof(uint64_t);
    size_t done = 0;
    while (bytes.size() - done >= kHeadBytes) {
      uint32_t size;
      uint64_t count;
      std::copy_n(bytes.data() + done, sizeof size, reinterpret_cast<char*>(&size));
      std::copy_n(bytes.data() + done + sizeof size, sizeof count, reinterpret_cast<char*>(&count));
      if (bytes.size() - done - kHeadBytes < size) break;
      table.add(bytes.substr(done + kHeadBytes, size), count);
      done += kHeadBytes + size;
    }
    return done;
  }

  std::string folder_;
  std::vector<io::ScratchFile> files_;
};

}  // namespace

WordCounts::WordCounts(const std::vector<std::pair<std::string, uint64_t>>& words) {
  for (const auto& [word, count] : words) append(word, count);
  sort();
}

void WordCounts::append(std::string_view word, uint64_t count) {
  if (storage_.empty() || storage_.back()->capacity() - storage_.back()->size() < word.size()) {
    storage_.push_back(std::make_unique<std::string>());
    storage_.back()->reserve(std::max(kBlockBytes, word.size()));
  }
  std::string& block = *storage_.back();
  const size_t begin = block.size();
  block += word;
  words_.push_back({std::string_view(block).substr(begin), count});
}

void WordCounts::sort() {
  std::sort(words_.begin(), words_.end(), [](const CountedWord& a, const CountedWord& b) { return a.word < b.word; });
}

class WordCounter {
 public:
  WordCounter(const Corpus& corpus, const Normalizer* normalizer, const PreTokenizer* pre_tokenizer, const CountOptions& options)
      : corpus_(corpus),
        normalizer_(normalizer),
        pre_tokenizer_(pre_tokenizer),
        options_(options),
        workers_(static_cast<size_t>(num_threads())),
        shards_(options.scratch_folder) {}

  Status add(const LineBatch& batch) {
    const std::vector<size_t> borders = cut_into_units(batch);
    parallel_for_each(static_cast<int64_t>(borders.size()) - 1, [&](int64_t unit, int thread) {
      Worker& worker = workers_[static_cast<size_t>(thread)];
      for (size_t i = borders[static_cast<size_t>(unit)]; i < borders[static_cast<size_t>(unit) + 1]; ++i) {
        const Status status = count(batch, batch.lines[i], worker);
        if (!status.ok() && i < worker.error_line) worker.error = status, worker.error_line = i;
      }
    });
    ATELIER_RETURN_IF_ERROR(first_error());
    size_t bytes = 0;
    for (const Worker& worker : workers_) bytes += worker.table.memory_bytes();
    return bytes > options_.memory_bytes ? spill() : Status();
  }

  Result<WordCounts> finish() {
    WordCounts counts;
    counts.was_spilled_ = !shards_.empty();
    if (counts.was_spilled_) {
      ATELIER_RETURN_IF_ERROR(spill());
      for (size_t shard = 0; shard < kNumShards; ++shard) {
        WordTable table;
        ATELIER_RETURN_IF_ERROR(shards_.load(shard, table));
        take(table, counts);
      }
    } else {
      WordTable& all = workers_[0].table;
      for (size_t i = 1; i < workers_.size(); ++i) {
        workers_[i].table.for_each([&](std::string_view word, uint64_t hash, uint64_t count) { all.add_hashed(word, hash, count); });
        workers_[i].table.clear();
      }
      take(all, counts);
    }
    counts.sort();
    return counts;
  }

 private:
  struct Worker {
    WordTable table;
    std::string storage;
    bool has_bytes = false;  // pieces are bytes that the vocabulary spells in byte-level characters
    Status error;
    size_t error_line = SIZE_MAX;
  };

  static std::vector<size_t> cut_into_units(const LineBatch& batch) {
    std::vector<size_t> borders = {0};
    for (size_t i = 0; i < batch.lines.size(); ++i) {
      if (batch.lines[i].end - batch.lines[borders.back()].begin >= kUnitBytes) borders.push_back(i + 1);
    }
    if (borders.back() < batch.lines.size()) borders.push_back(batch.lines.size());
    return borders;
  }

  Status count(const LineBatch& batch, const LineBatch::Line& line, Worker& worker) const {
    ATELIER_TRY(const std::string_view bytes, corpus_.text_of(batch, line, worker.storage));
    if (bytes.empty()) return {};
    if (bytes.size() > AlignedText::kMaxBytes) return Status::out_of_range("corpus: a text of more than 2 GiB; cut it into lines");
    AlignedText text = AlignedText::from_input(bytes, Alignment::kBeginning);
    if (normalizer_ != nullptr) ATELIER_RETURN_IF_ERROR(normalizer_->apply(text));
    if (text.empty()) return {};
    Pieces pieces{std::move(text), {}};
    pieces.ranges.push_back({0, static_cast<uint32_t>(pieces.text.size())});
    if (pre_tokenizer_ != nullptr) ATELIER_RETURN_IF_ERROR(pre_tokenizer_->apply(pieces));
    worker.has_bytes |= pieces.are_bytes;
    for (const Span range : pieces.ranges) worker.table.add(pieces.text.text().substr(range.begin, range.end - range.begin), 1);
    return {};
  }

  Status first_error() const {
    const auto first =
        std::min_element(workers_.begin(), workers_.end(), [](const Worker& a, const Worker& b) { return a.error_line < b.error_line; });
    return first->error;
  }

  Status spill() {
    for (Worker& worker : workers_) {
      ATELIER_RETURN_IF_ERROR(shards_.append(worker.table));
      worker.table.clear();
    }
    return {};
  }

  void take(const WordTable& table, WordCounts& counts) const {
    const bool has_bytes = std::any_of(workers_.begin(), workers_.end(), [](const Worker& worker) { return worker.has_bytes; });
    table.for_each([&](std::string_view word, uint64_t, uint64_t count) {
      if (has_bytes) {
        counts.append(encode_byte_level(word), count);
      } else {
        counts.append(word, count);
      }
    });
  }

  const Corpus& corpus_;
  const Normalizer* normalizer_;
  const PreTokenizer* pre_tokenizer_;
  const CountOptions& options_;
  std::vector<Worker> workers_;  // by thread
  Shards shards_;
};

Result<WordCounts> count_words(Corpus& corpus, const Normalizer* normalizer, const PreTokenizer* pre_tokenizer,
                               const CountOptions& options) {
  WordCounter counter(corpus, normalizer, pre_tokenizer, options);
  LineBatch batch;
  while (true) {
    ATELIER_RETURN_IF_ERROR(corpus.read(kBatchBytes, batch));
    if (batch.lines.empty()) break;
    ATELIER_RETURN_IF_ERROR(counter.add(batch));
    if (options.progress && !options.progress("count words", corpus.bytes_read(), corpus.total_bytes())) {
      return Status::cancelled("tokenizer: training was stopped");
    }
  }
  ATELIER_TRY(WordCounts counts, counter.finish());
  if (counts.words().empty()) return Status::invalid("corpus: empty, there is nothing to learn from; give files with text");
  return counts;
}

}  // namespace atelier::tokenize
