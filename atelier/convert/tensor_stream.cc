#include "atelier/convert/tensor_stream.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "atelier/base/half.h"
#include "atelier/base/strings.h"
#include "atelier/parallel/parallel.h"
#include "atelier/quant/quant.h"

namespace atelier::convert {
namespace {

constexpr int64_t kChunkBytes = int64_t{8} << 20;
constexpr int64_t kNoRow = INT64_MAX;

// True when every value can be stored: finite, and within F16 where that is the type.
bool is_storable(std::span<const float> row, DType type) {
  const float limit = type == DType::kF16 ? 65519.996f : std::numeric_limits<float>::max();  // rounds to 65504 at most
  return std::ranges::all_of(row, [limit](float v) { return std::fabs(v) <= limit; });
}

Status unstorable(const OutputTensor& tensor, int64_t row) {
  std::vector<float> values(static_cast<size_t>(tensor.row_length()));
  tensor.open()(row, values.data());
  const auto bad = std::ranges::find_if(values, [&](float v) { return !is_storable({&v, 1}, tensor.info.dtype); });
  const std::string where = "tensor " + quoted(tensor.info.name) + ", row " + std::to_string(row) + ", column " +
                            std::to_string(bad - values.begin()) + " is " + std::to_string(*bad);
  if (std::isfinite(*bad)) return Status::unsupported(where + ", F16 ends at 65504; use BF16 or F32");
  return Status::corrupt(where + ", weights must be finite; the source is damaged");
}

// Rows [begin, begin + count) packed into `out`; the first row that cannot be stored goes into `bad_row`.
void pack_rows(const OutputTensor& tensor, const RowReader& read, int64_t begin, int64_t count, uint8_t* out,
               std::atomic<int64_t>& bad_row) {
  const int64_t length = tensor.row_length(), stride = row_bytes(tensor.info.dtype, length);
  const float* importance = tensor.importance.empty() ? nullptr : tensor.importance.data();
  parallel_for(count, 1, [&](int64_t first, int64_t last, int) {
    std::vector<float> row(static_cast<size_t>(length));
    for (int64_t r = first; r < last; ++r) {
      read(begin + r, row.data());
      if (!is_storable(row, tensor.info.dtype)) {
        int64_t earlier = bad_row.load();
        while (begin + r < earlier && !bad_row.compare_exchange_weak(earlier, begin + r)) {
        }
        return;
      }
      quant::from_f32(tensor.info.dtype, row.data(), out + r * stride, length, importance);
    }
  });
}

class Meter {
 public:
  Meter(const Progress& progress, int64_t total) : progress_(progress), total_(total) {}
  Status add(int64_t bytes) {
    done_ += bytes;
    if (progress_ && !progress_(done_, total_)) return Status::cancelled("stopped; nothing was written");
    return Status::ok_status();
  }

 private:
  const Progress& progress_;
  int64_t total_, done_ = 0;
};

Status write_stored(const OutputTensor& tensor, format::CheckpointWriter& writer, Meter& meter) {
  const auto* bytes = static_cast<const uint8_t*>(tensor.stored);
  for (int64_t at = 0; at < tensor.bytes(); at += kChunkBytes) {
    const int64_t count = std::min(kChunkBytes, tensor.bytes() - at);
    ATELIER_RETURN_IF_ERROR(writer.write(bytes + at, count));
    ATELIER_RETURN_IF_ERROR(meter.add(count));
  }
  return Status::ok_status();
}

Status write_packed(const OutputTensor& tensor, format::CheckpointWriter& writer, Meter& meter) {
  const RowReader read = tensor.open();
  const int64_t stride = row_bytes(tensor.info.dtype, tensor.row_length());
  const int64_t rows_at_once = std::max<int64_t>(1, kChunkBytes / std::max<int64_t>(stride, 1));
  std::vector<uint8_t> chunk(static_cast<size_t>(std::min(rows_at_once, tensor.num_rows()) * stride));
  for (int64_t begin = 0; begin < tensor.num_rows(); begin += rows_at_once) {
    const int64_t count = std::min(rows_at_once, tensor.num_rows() - begin);
    std::atomic<int64_t> bad_row{kNoRow};
    pack_rows(tensor, read, begin, count, chunk.data(), bad_row);
    if (bad_row != kNoRow) return unstorable(tensor, bad_row);
    ATELIER_RETURN_IF_ERROR(writer.write(chunk.data(), count * stride));
    ATELIER_RETURN_IF_ERROR(meter.add(count * stride));
  }
  return Status::ok_status();
}

}  // namespace

int64_t OutputTensor::num_rows() const {
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < info.shape.size(); ++i) rows *= info.shape[i];
  return rows;
}

int64_t OutputTensor::bytes() const { return num_rows() * row_bytes(info.dtype, row_length()); }

Status write_tensors(std::span<const OutputTensor> tensors, format::CheckpointWriter& writer, const Progress& progress) {
  int64_t total = 0;
  for (const OutputTensor& tensor : tensors) total += tensor.bytes();
  Meter meter(progress, total);
  for (const OutputTensor& tensor : tensors) {
    const bool is_copy = tensor.stored != nullptr && tensor.stored_type == tensor.info.dtype;
    ATELIER_RETURN_IF_ERROR(is_copy ? write_stored(tensor, writer, meter) : write_packed(tensor, writer, meter));
  }
  return writer.finish();
}

}  // namespace atelier::convert
