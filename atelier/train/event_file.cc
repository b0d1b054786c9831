#include "atelier/train/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

#include "atelier/io/file.h"

namespace atelier::train {
namespace {

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    table[i] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kTable = make_table();

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8u; }

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 128; value >>= 7) out.push_back(static_cast<char>(value | 128));
  out.push_back(static_cast<char>(value));
}

// Wire types of protobuf.
void put_double(std::string& out, int field, double value) {
  put_varint(out, static_cast<uint64_t>(field << 3 | 1));
  put(out, value);
}
void put_float(std::string& out, int field, float value) {
  put_varint(out, static_cast<uint64_t>(field << 3 | 5));
  put(out, value);
}
void put_integer(std::string& out, int field, int64_t value) {
  put_varint(out, static_cast<uint64_t>(field << 3));
  put_varint(out, static_cast<uint64_t>(value));
}
void put_bytes(std::string& out, int field, std::string_view bytes) {
  put_varint(out, static_cast<uint64_t>(field << 3 | 2));
  put_varint(out, bytes.size());
  out += bytes;
}

std::string framed(const std::string& event) {
  std::string length, record;
  put(length, static_cast<uint64_t>(event.size()));
  record = length;
  put(record, masked_crc(length));
  record += event;
  put(record, masked_crc(event));
  return record;
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<uint8_t>(c)) & 255];
  return ~crc;
}

std::string version_record(double wall_time_s) {
  std::string event;
  put_double(event, 1, wall_time_s);
  put_bytes(event, 3, "brain.Event:2");
  return framed(event);
}

std::string scalar_record(double wall_time_s, int64_t step, std::span<const std::pair<std::string, double>> scalars) {
  std::string event, summary;
  for (const auto& [tag, number] : scalars) {
    std::string value;
    put_bytes(value, 1, tag);
    put_float(value, 2, static_cast<float>(number));
    put_bytes(summary, 1, value);
  }
  put_double(event, 1, wall_time_s);
  put_integer(event, 2, step);
  put_bytes(event, 5, summary);
  return framed(event);
}

Result<EventFile> EventFile::create(const std::string& folder, double wall_time_s) {
  const std::string path = io::join_path(
      folder, "events.out.tfevents." + std::to_string(static_cast<int64_t>(wall_time_s)) + "." + std::to_string(::getpid()) + ".atelier");
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) return Status::io(path + ": cannot be created: " + std::strerror(errno));
  EventFile file(path, descriptor);
  ATELIER_RETURN_IF_ERROR(file.write(version_record(wall_time_s)));
  return file;
}

EventFile::EventFile(EventFile&& other) noexcept : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

EventFile::~EventFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status EventFile::append(double wall_time_s, int64_t step, std::span<const std::pair<std::string, double>> scalars) {
  return write(scalar_record(wall_time_s, step, scalars));
}

Status EventFile::write(const std::string& record) {
  for (size_t done = 0; done < record.size();) {
    const ssize_t count = ::write(descriptor_, record.data() + done, record.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Status::io(path_ + ": cannot be written: " + std::strerror(errno) + "; free some space");
    done += static_cast<size_t>(count);
  }
  return {};
}

}  // namespace atelier::train
