#include "atelier/format/npy.h"

#include <zlib.h>

#include "atelier/base/error.h"
#include "atelier/format/extents.h"
#include "atelier/io/atomic_file.h"

namespace atelier::format {
namespace {

// What stands before the values: magic, version, the length of the rest as u16, a dictionary, and spaces so that values begin at a
// multiple of 64.
std::string npy_header(const char* type, std::span<const int64_t> shape) {
  std::string fields = std::string("{'descr': '") + type + "', 'fortran_order': False, 'shape': (";
  for (const int64_t dim : shape) fields += std::to_string(dim) + ", ";
  fields += "), }";
  fields.append(63 - (10 + fields.size()) % 64, ' ');
  fields += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(fields.size() & 0xff);
  header += static_cast<char>(fields.size() >> 8);
  return header + fields;
}

std::string_view bytes_of(const NpzArray& array) {
  return std::visit([](const auto& values) { return std::string_view(reinterpret_cast<const char*>(values.data()), values.size_bytes()); },
                    array.data);
}

uint32_t checksum(std::string_view header, std::string_view values) {
  const auto bytes = [](std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); };
  return static_cast<uint32_t>(crc32_z(crc32_z(0, bytes(header), header.size()), bytes(values), values.size()));
}

// Little-endian fields of a record.
class Record {
 public:
  Record& u16(uint32_t value) { return put(value, 2); }
  Record& u32(uint64_t value) { return put(value, 4); }
  Record& text(std::string_view value) {
    bytes_ += value;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Record& put(uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xff);
    return *this;
  }
  std::string bytes_;
};

// A stored member (APPNOTE.TXT 4.3): what its local header and its entry in the directory share.
struct Member {
  std::string name;
  uint32_t crc;
  uint64_t size, offset;

  Record shared_fields() const {
    constexpr uint32_t kVersion = 20, kNoFlags = 0, kStored = 0, kTime = 0, kFirstOfJanuary1980 = 0x21;
    Record record;
    record.u16(kVersion).u16(kNoFlags).u16(kStored).u16(kTime).u16(kFirstOfJanuary1980).u32(crc).u32(size).u32(size);
    record.u16(static_cast<uint32_t>(name.size())).u16(0);
    return record;
  }
  std::string local_header() const { return Record().u32(0x04034b50).text(shared_fields().bytes()).text(name).bytes(); }
  std::string directory_entry() const {
    Record record;
    record.u32(0x02014b50).u16(20).text(shared_fields().bytes());
    return record.u16(0).u16(0).u16(0).u32(0).u32(offset).text(name).bytes();  // no comment, disk 0, no attributes
  }
};

}  // namespace

Status write_npy(const std::string& path, std::span<const float> data, std::span<const int64_t> shape) {
  ATELIER_CHECK(checked_count(shape) == static_cast<int64_t>(data.size()));
  ATELIER_TRY(io::AtomicFile file, io::AtomicFile::create(path));
  ATELIER_RETURN_IF_ERROR(file.write(npy_header("<f4", shape)));
  ATELIER_RETURN_IF_ERROR(file.write(data.data(), data.size_bytes()));
  return file.commit();
}

Status write_npz(const std::string& path, std::span<const NpzArray> arrays) {
  ATELIER_TRY(io::AtomicFile file, io::AtomicFile::create(path));
  std::string directory;
  for (const NpzArray& array : arrays) {
    const bool is_float = std::holds_alternative<std::span<const float>>(array.data);
    const std::string header = npy_header(is_float ? "<f4" : "<i8", array.shape);
    const std::string_view values = bytes_of(array);
    const Member member{array.name + ".npy", checksum(header, values), header.size() + values.size(),
                        static_cast<uint64_t>(file.position())};
    if (member.offset + member.size > UINT32_MAX) {
      return Status::out_of_range(path + ": more than 4 GiB, an .npz archive holds no more; write fewer values");
    }
    ATELIER_RETURN_IF_ERROR(file.write(member.local_header()));
    ATELIER_RETURN_IF_ERROR(file.write(header));
    ATELIER_RETURN_IF_ERROR(file.write(values));
    directory += member.directory_entry();
  }
  const auto count = static_cast<uint32_t>(arrays.size());
  Record end;
  end.u32(0x06054b50).u16(0).u16(0).u16(count).u16(count).u32(directory.size()).u32(static_cast<uint64_t>(file.position())).u16(0);
  ATELIER_RETURN_IF_ERROR(file.write(directory));
  ATELIER_RETURN_IF_ERROR(file.write(end.bytes()));
  return file.commit();
}

}  // namespace atelier::format
