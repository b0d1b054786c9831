#include "atelier/convert/importance.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "atelier/base/strings.h"
#include "atelier/format/gguf.h"
#include "atelier/format/gguf_writer.h"
#include "atelier/io/mapped_file.h"

namespace atelier::convert {
namespace {

constexpr std::string_view kSums = ".in_sum2", kCounts = ".counts";

Result<std::vector<float>> floats_of(const format::TensorEntry& entry) {
  if (entry.dtype != DType::kF32) {
    return Status::corrupt("importance matrix: tensor " + quoted(entry.name) + " has type " + dtype_name(entry.dtype) + ", want F32");
  }
  std::vector<float> out(static_cast<size_t>(entry.count()));
  std::memcpy(out.data(), entry.data, static_cast<size_t>(entry.bytes));
  return out;
}

// Reads the older format front to back; a count never passes the bytes that are left.
class DatReader {
 public:
  explicit DatReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  Result<int32_t> count(int64_t element_bytes) {
    int32_t value = 0;
    if (bytes_.size() < sizeof value) return truncated();
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_ = bytes_.subspan(sizeof value);
    if (value < 0 || value * element_bytes > static_cast<int64_t>(bytes_.size())) return truncated();
    return value;
  }
  std::span<const uint8_t> take(size_t count) {
    const std::span<const uint8_t> out = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return out;
  }

 private:
  static Status truncated() { return Status::corrupt("importance matrix: a count passes the end of the file; write it again"); }
  std::span<const uint8_t> bytes_;
};

}  // namespace

Status ImportanceMatrix::add_entry(std::string name, Entry entry) {
  const bool is_sound = std::ranges::all_of(entry.sums, [](float s) { return s >= 0 && std::isfinite(s); });
  if (!is_sound || !(entry.count > 0)) {
    return Status::corrupt("importance matrix: entry " + quoted(name) + " holds a value that is negative or not finite; write it again");
  }
  entries_[std::move(name)] = std::move(entry);
  return Status::ok_status();
}

Result<ImportanceMatrix> ImportanceMatrix::load_gguf(const std::string& path) {
  ATELIER_TRY(const std::shared_ptr<const format::Gguf> file, format::Gguf::open(path));
  ATELIER_TRY(const std::string type, file->get_string("general.type", ""));
  if (type != "imatrix") return Status::invalid(path + " is no importance matrix: general.type is " + quoted(type) + ", want \"imatrix\"");
  ImportanceMatrix out;
  for (const format::TensorEntry& entry : file->entries()) {
    if (!entry.name.ends_with(kSums)) continue;
    const std::string name = entry.name.substr(0, entry.name.size() - kSums.size());
    ATELIER_TRY(const format::TensorEntry* counts_entry, file->get(name + std::string(kCounts)));
    ATELIER_TRY(std::vector<float> sums, floats_of(entry));
    ATELIER_TRY(const std::vector<float> counts, floats_of(*counts_entry));
    if (counts.size() != 1) {
      return Status::unsupported("importance matrix: " + quoted(name) + " has " + std::to_string(counts.size()) +
                                 " matrices; mixtures of experts are not supported");
    }
    if (counts[0] > 0) ATELIER_RETURN_IF_ERROR(out.add_entry(name, {std::move(sums), counts[0]}));
  }
  return out;
}

Result<ImportanceMatrix> ImportanceMatrix::load_dat(const std::string& path) {
  ATELIER_TRY(const std::shared_ptr<const io::MappedFile> file, io::MappedFile::open(path));
  DatReader reader(file->bytes());
  constexpr int64_t kSmallestEntry = 12;
  ATELIER_TRY(const int32_t num_entries, reader.count(kSmallestEntry));
  ImportanceMatrix out;
  for (int32_t i = 0; i < num_entries; ++i) {
    ATELIER_TRY(const int32_t name_length, reader.count(1));
    const std::span<const uint8_t> name = reader.take(static_cast<size_t>(name_length));
    ATELIER_TRY(const int32_t calls, reader.count(0));
    ATELIER_TRY(const int32_t num_values, reader.count(sizeof(float)));
    Entry entry{std::vector<float>(static_cast<size_t>(num_values)), static_cast<float>(std::max(calls, 1))};
    std::memcpy(entry.sums.data(), reader.take(entry.sums.size() * sizeof(float)).data(), entry.sums.size() * sizeof(float));
    ATELIER_RETURN_IF_ERROR(out.add_entry(std::string(name.begin(), name.end()), std::move(entry)));
  }
  return out;
}

Result<ImportanceMatrix> ImportanceMatrix::load(const std::string& path) {
  ATELIER_TRY(const std::shared_ptr<const io::MappedFile> file, io::MappedFile::open(path));
  return file->text().starts_with("GGUF") ? load_gguf(path) : load_dat(path);
}

Status ImportanceMatrix::save(const std::string& path, const std::string& dataset) const {
  format::GgufMetadata metadata;
  metadata.set_string("general.type", "imatrix");
  metadata.set_strings("imatrix.datasets", std::span(&dataset, 1));
  uint32_t most_rows = 0;
  std::vector<format::TensorInfo> infos;
  for (const auto& [name, entry] : entries_) {
    infos.push_back({name + std::string(kSums), DType::kF32, {1, static_cast<int64_t>(entry.sums.size())}});
    infos.push_back({name + std::string(kCounts), DType::kF32, {1, 1}});
    most_rows = std::max(most_rows, static_cast<uint32_t>(entry.count));
  }
  metadata.set_uint32("imatrix.chunk_count", 1);
  metadata.set_uint32("imatrix.chunk_size", most_rows);
  ATELIER_TRY(const std::unique_ptr<format::CheckpointWriter> writer, format::create_gguf(path, metadata, infos));
  for (const auto& [name, entry] : entries_) {
    ATELIER_RETURN_IF_ERROR(writer->write(entry.sums.data(), static_cast<int64_t>(entry.sums.size() * sizeof(float))));
    ATELIER_RETURN_IF_ERROR(writer->write(&entry.count, sizeof entry.count));
  }
  return writer->finish();
}

void ImportanceMatrix::add(const std::string& name, std::span<const float> x, int64_t K) {
  Entry& entry = entries_[name];
  entry.sums.resize(static_cast<size_t>(K));
  for (size_t row = 0; row < x.size(); row += static_cast<size_t>(K)) {
    for (size_t k = 0; k < entry.sums.size(); ++k) entry.sums[k] += x[row + k] * x[row + k];
  }
  const int64_t num_rows = static_cast<int64_t>(x.size()) / K;
  entry.count += static_cast<float>(num_rows);
}

Result<std::vector<float>> ImportanceMatrix::of(const std::string& name, int64_t K) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return std::vector<float>();
  std::vector<float> mean = found->second.sums;
  if (static_cast<int64_t>(mean.size()) != K) {
    return Status::invalid("importance matrix: entry " + quoted(name) + " has " + std::to_string(mean.size()) +
                           " columns, the matrix has " + std::to_string(K) + "; it was made for another model");
  }
  for (float& value : mean) value /= found->second.count;
  return mean;
}

}  // namespace atelier::convert
