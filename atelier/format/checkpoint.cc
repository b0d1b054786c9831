#include "atelier/format/checkpoint.h"

#include "atelier/base/error.h"
#include "atelier/base/strings.h"
#include "atelier/format/extents.h"
#include "atelier/format/gguf.h"
#include "atelier/format/safetensors.h"
#include "atelier/io/file.h"
#include "atelier/io/mapped_file.h"

namespace atelier::format {
namespace {

constexpr const char* kFromPickle =
    "run `python -c \"import torch, safetensors.torch as s; s.save_file(torch.load('IN', weights_only=True), 'model.safetensors')\"`";

bool is_pickle_name(const std::string& name) {
  return name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth") || name.ends_with(".ckpt");
}

Status refuse_pickle(const std::string& path) {
  return Status::unsupported(path + ": a pickle file can run code, so it is not read; convert it once: " + kFromPickle);
}

// A pickle of protocol 2 and later begins with 0x80 and its number; torch.save has put it into a zip since 1.6. So does a safetensors
// file whose header has 640 bytes; its header follows at byte 8.
bool looks_like_pickle(std::string_view head) {
  if (head.size() > 8 && head[8] == '{') return false;
  return head.starts_with("PK\x03\x04") || (head.size() >= 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5);
}

Result<std::shared_ptr<const Checkpoint>> open_safetensors(const std::string& path) {
  ATELIER_TRY(std::shared_ptr<const Safetensors> file, Safetensors::open(path));
  return std::shared_ptr<const Checkpoint>(std::move(file));
}

Result<std::shared_ptr<const Checkpoint>> open_folder(const std::string& path) {
  ATELIER_TRY(const std::vector<std::string> names, io::list_directory(path));
  std::string gguf, pickle;
  for (const std::string& name : names) {
    if (name.ends_with(".safetensors") || name == "model.safetensors.index.json") return open_safetensors(path);
    if (name.ends_with(".gguf")) gguf = name;
    if (is_pickle_name(name)) pickle = name;
  }
  if (!gguf.empty()) return Status::invalid(path + ": holds no *.safetensors; name the GGUF file itself: " + io::join_path(path, gguf));
  if (!pickle.empty()) return refuse_pickle(io::join_path(path, pickle));
  return Status::not_found(path + ": holds no *.safetensors");
}

}  // namespace

int64_t TensorEntry::count() const {
  const auto count = checked_count(shape);
  ATELIER_CHECK(count.has_value());
  return *count;
}

void TensorEntry::drop_pages() const {
  if (file != nullptr)
    file->drop(static_cast<size_t>(static_cast<const uint8_t*>(data) - file->bytes().data()), static_cast<size_t>(bytes));
}

const TensorEntry* Checkpoint::find(std::string_view name) const {
  const auto found = index_.find(std::string(name));
  return found == index_.end() ? nullptr : &entries_[found->second];
}

Result<const TensorEntry*> Checkpoint::get(std::string_view name) const {
  if (const TensorEntry* entry = find(name)) return entry;
  std::vector<std::string> names;
  for (const TensorEntry& entry : entries_) names.push_back(entry.name);
  const std::string nearest = nearest_name(name, names);
  return Status::not_found(path_ + ": has no tensor " + quoted(name) + (nearest.empty() ? "" : "; the nearest name is " + quoted(nearest)));
}

int64_t Checkpoint::total_bytes() const {
  int64_t total = 0;
  for (const TensorEntry& entry : entries_) total += entry.bytes;
  return total;
}

Status Checkpoint::add(TensorEntry entry) {
  if (!index_.emplace(entry.name, entries_.size()).second) {
    return Status::corrupt(path_ + ": tensor " + quoted(entry.name) + " stands twice");
  }
  entries_.push_back(std::move(entry));
  return Status::ok_status();
}

Result<std::shared_ptr<const Checkpoint>> open_checkpoint(const std::string& path) {
  if (io::is_directory(path)) return open_folder(path);
  if (path.ends_with(".safetensors.index.json")) return open_safetensors(path);
  ATELIER_TRY(const std::shared_ptr<const io::MappedFile> file, io::MappedFile::open(path));
  if (file->text().starts_with("GGUF")) {
    ATELIER_TRY(std::shared_ptr<const Gguf> gguf, Gguf::open(path));
    return std::shared_ptr<const Checkpoint>(std::move(gguf));
  }
  if (is_pickle_name(path) || looks_like_pickle(file->text())) return refuse_pickle(path);
  if (path.ends_with(".gguf")) return Status::corrupt(path + ": no GGUF file: does not start with \"GGUF\"; download it again");
  return open_safetensors(path);
}

}  // namespace atelier::format
