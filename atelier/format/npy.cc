#include "atelier/format/npy.h"

#include "atelier/base/error.h"
#include "atelier/format/extents.h"
#include "atelier/io/atomic_file.h"

namespace atelier::format {

Status write_npy(const std::string& path, std::span<const float> data, std::span<const int64_t> shape) {
  ATELIER_CHECK(checked_count(shape) == static_cast<int64_t>(data.size()));
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (const int64_t dim : shape) header += std::to_string(dim) + ", ";
  header += "), }";
  // Magic, version and the u16 length are 10 bytes; spaces and a newline bring the data to a multiple of 64.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  ATELIER_TRY(io::AtomicFile file, io::AtomicFile::create(path));
  ATELIER_RETURN_IF_ERROR(file.write(std::string_view("\x93NUMPY\x01\x00", 8)));
  const uint16_t length = static_cast<uint16_t>(header.size());
  ATELIER_RETURN_IF_ERROR(file.write(&length, sizeof length));
  ATELIER_RETURN_IF_ERROR(file.write(header));
  ATELIER_RETURN_IF_ERROR(file.write(data.data(), data.size_bytes()));
  return file.commit();
}

}  // namespace atelier::format
