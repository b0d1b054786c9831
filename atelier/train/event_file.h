// TensorBoard's event files: curves that `tensorboard --logdir runs` shows.
//
//   record   u64 length, u32 masked CRC-32C of those 8 bytes, the event, u32 masked CRC-32C of the event         (little endian)
//   event    protobuf Event: wall_time (1, double), step (2, int64), file_version (3) or summary (5)
//   masked   ((crc >> 15) | (crc << 17)) + 0xa282ead8                                             (tensorflow core/lib/io/record_writer.h)
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "atelier/base/status.h"

namespace atelier::train {

// CRC-32C (Castagnoli, RFC 3720 appendix B.4).
uint32_t crc32c(std::string_view bytes);

// A record around the scalars of one step, or around the version that begins every file.
std::string scalar_record(double wall_time_s, int64_t step, std::span<const std::pair<std::string, double>> scalars);
std::string version_record(double wall_time_s);

class EventFile {
 public:
  // A new file in `folder`; a run that goes on has several.
  static Result<EventFile> create(const std::string& folder, double wall_time_s);
  EventFile(EventFile&& other) noexcept;
  EventFile& operator=(EventFile&&) = delete;
  ~EventFile();

  Status append(double wall_time_s, int64_t step, std::span<const std::pair<std::string, double>> scalars);

 private:
  EventFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  Status write(const std::string& record);
  std::string path_;
  int descriptor_;
};

}  // namespace atelier::train
