// A real model patched in place: loaded, its tokenizer tried, run, and put right again.
//
// ATELIER_FUZZ_MODEL names the GGUF file; a copy is patched. The input is a list of patches of 16 bytes, u64 place and u64 value:
// any bytes are a patch. The low half of a place's range falls on header and metadata, the high half on the whole file.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <vector>

#include "atelier/format/gguf.h"
#include "tests/fuzz/model_trial.h"
#include "tests/support/temporary_folder.h"

namespace {

// A writable mapping of a copy of the model; readers that map the same file see the patches.
class PatchedCopy {
 public:
  PatchedCopy() {
    const char* model = std::getenv("ATELIER_FUZZ_MODEL");
    if (model == nullptr) atelier::fuzz::fail("ATELIER_FUZZ_MODEL names no GGUF file");
    std::filesystem::copy_file(model, path());
    size_ = std::filesystem::file_size(path());
    const auto gguf = atelier::format::Gguf::open(path());
    if (!gguf.ok() || (*gguf)->entries().empty()) atelier::fuzz::fail(gguf.status().message());
    for (const auto& entry : (*gguf)->entries()) data_bytes_ += static_cast<size_t>(entry.bytes);
    const int file = ::open(path().c_str(), O_RDWR);
    bytes_ = static_cast<uint8_t*>(::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    ::close(file);
    if (bytes_ == MAP_FAILED) atelier::fuzz::fail("cannot map " + path());
  }

  std::string path() const { return folder_ / "model.gguf"; }

  void patch(uint64_t place, uint64_t value) {
    const size_t range = place >> 63 == 0 ? size_ - data_bytes_ : size_;
    const size_t at = place % (range - sizeof value);
    undo_.push_back({at, {}});
    std::memcpy(&undo_.back().old, bytes_ + at, sizeof value);
    std::memcpy(bytes_ + at, &value, sizeof value);
  }

  void restore() {
    for (auto patch = undo_.rbegin(); patch != undo_.rend(); ++patch) std::memcpy(bytes_ + patch->at, &patch->old, sizeof patch->old);
    undo_.clear();
  }

 private:
  struct Patch {
    size_t at;
    uint64_t old;
  };
  atelier::testing::TemporaryFolder folder_;
  size_t size_ = 0, data_bytes_ = 0;
  uint8_t* bytes_ = nullptr;
  std::vector<Patch> undo_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static PatchedCopy copy;
  constexpr size_t kMaxPatches = 8, kPatchBytes = 16;
  for (size_t i = 0; i < std::min(size / kPatchBytes, kMaxPatches); ++i) {
    uint64_t place, value;
    std::memcpy(&place, data + i * kPatchBytes, sizeof place);
    std::memcpy(&value, data + i * kPatchBytes + sizeof place, sizeof value);
    copy.patch(place, value);
  }
  atelier::fuzz::try_model(copy.path());
  copy.restore();
  return 0;
}
