#include "atelier/io/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "atelier/base/strings.h"

namespace atelier::io {
namespace {

namespace fs = std::filesystem;

Status refused(const std::string& path, const char* action, const std::error_code& error) {
  const std::string message = path + ": cannot " + action + ": " + error.message();
  return error == std::errc::no_such_file_or_directory ? Status::not_found(message) : Status::io(message);
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

Result<std::string> read_file(const std::string& path, int64_t limit_bytes) {
  ATELIER_TRY(const int64_t size, file_size(path));
  if (size > limit_bytes) {
    return Status::out_of_range(path + ": is " + human_bytes(static_cast<uint64_t>(size)) + " long, limit " +
                                human_bytes(static_cast<uint64_t>(std::max<int64_t>(limit_bytes, 0))));
  }
  std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (!file) return refused(path, "open", std::error_code(errno, std::generic_category()));
  std::string text(static_cast<size_t>(size), '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));  // shorter when the file shrank meanwhile
  if (std::ferror(file.get())) return refused(path, "read", std::error_code(errno, std::generic_category()));
  return text;
}

bool is_file(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

bool is_directory(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

Result<int64_t> file_size(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return Status::not_found(path + ": no such file");
  if (fs::is_directory(status)) return Status::invalid(path + ": is a folder, want a file");
  if (!fs::is_regular_file(status)) return Status::invalid(path + ": is no regular file");
  const auto size = fs::file_size(path, error);
  if (error) return refused(path, "stat", error);
  return static_cast<int64_t>(size);
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  std::error_code error;
  fs::directory_iterator iterator(path, error);
  if (error) return refused(path, "list", error);
  std::vector<std::string> names;
  for (; iterator != fs::directory_iterator(); iterator.increment(error)) {
    if (error) return refused(path, "list", error);
    names.push_back(iterator->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status make_directories(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return refused(path, "create the folder", error);
  return Status::ok_status();
}

std::string join_path(const std::string& folder, const std::string& name) { return (fs::path(folder) / name).string(); }

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string name_of(const std::string& path) { return fs::path(path).filename().string(); }

}  // namespace atelier::io
