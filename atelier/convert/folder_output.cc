#include "atelier/convert/folder_output.h"

#include <filesystem>
#include <utility>

#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"

namespace atelier::convert {

Result<FolderOutput> FolderOutput::create(const std::string& path) {
  std::error_code error;
  const bool is_free =
      !std::filesystem::exists(path, error) || (std::filesystem::is_directory(path, error) && std::filesystem::is_empty(path, error));
  if (!is_free) return Status::invalid("convert: " + path + " exists already; give a new name or remove it");
  std::string name = path;
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  FolderOutput out(name, name + ".partial");
  std::filesystem::remove_all(out.partial_, error);
  ATELIER_RETURN_IF_ERROR(io::make_directories(out.partial_));
  return out;
}

FolderOutput::FolderOutput(FolderOutput&& other) noexcept : path_(std::move(other.path_)), partial_(std::exchange(other.partial_, {})) {}

FolderOutput::~FolderOutput() {
  std::error_code error;
  if (!partial_.empty()) std::filesystem::remove_all(partial_, error);
}

Status FolderOutput::write(const std::string& name, std::string_view text) const {
  return io::write_file(io::join_path(partial_, name), text);
}

Status FolderOutput::commit() {
  std::error_code error;
  std::filesystem::remove(path_, error);  // an empty folder
  std::filesystem::rename(partial_, path_, error);
  if (error) return Status::io("convert: cannot rename " + partial_ + " to " + path_ + ": " + error.message());
  partial_.clear();
  return Status::ok_status();
}

}  // namespace atelier::convert
